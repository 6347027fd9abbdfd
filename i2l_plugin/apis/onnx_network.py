"""An exported network in ONNX Runtime, and what its file says of itself.

Shapes: B batch, J joints, V vertices, H and W of the crop.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from i2l_plugin.models import CascadedMeshEstimator
from i2l_plugin.models.decoding import LixelEstimate

INPUT = 'image'
OUTPUTS = ('vertices_lixel', 'vertex_spread_lixel', 'joints_lixel')
DESCRIPTION_KEY = 'i2l_plugin'


def need(package: str) -> ModuleType:
    """Import a package of the extra ``[onnx]``; ValueError says how to get it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ValueError(
            f"{package} is not installed ({error}): pip install -e '.[onnx]'"
        ) from error


def describe(model: nn.Module) -> dict[str, Any]:
    """What one must know of a network to use its file: the crop, the lixels, the points.

    Raises:
        ValueError: It is a network that a file cannot hold.
    """
    if type(model) is not CascadedMeshEstimator:
        raise ValueError(
            f'got a {type(model).__name__}, expected a CascadedMeshEstimator: what others regress '
            'needs the body model, which an ONNX file must not hold; take the config of the mesh '
            'network alone'
        )
    codec, body = model.codec, model.body_model
    width, height = codec.input_size
    return dict(
        input=f'{INPUT}: (B, 3, {height}, {width}) float32, RGB from 0 to 255',
        input_size_px=[width, height],
        heatmap_size_lixel=list(codec.heatmap_size),
        depth_range_mm=codec.depth_range_mm,
        kind=body.kind,
        num_vertices=body.num_vertices,
        joint_names=list(body.joint_set.joint_names) if model.with_posenet else [],
    )


class OnnxNetwork:
    """A file of `export_onnx`.

    Args:
        source: The file, or its bytes.
        threads: Of ONNX Runtime; PyTorch's number by default.

    Attributes:
        description: As `describe` gives it.

    Raises:
        FileNotFoundError: No such file.
        ValueError: ONNX Runtime is missing, or the file is broken or no such network.
    """

    def __init__(self, source: str | os.PathLike | bytes, threads: int | None = None) -> None:
        runtime = need('onnxruntime')
        name = 'the exported network' if isinstance(source, bytes) else os.fspath(source)
        if not isinstance(source, bytes):
            if not Path(source).is_file():
                raise FileNotFoundError(f'{name}: no such file; tools/export.py writes one')
            source = os.fspath(source)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        options.log_severity_level = 3  # errors
        try:
            self._session = runtime.InferenceSession(
                source, options, providers=['CPUExecutionProvider']
            )
            self.description = json.loads(
                self._session.get_modelmeta().custom_metadata_map[DESCRIPTION_KEY]
            )
        except KeyError as error:
            raise ValueError(
                f'{name} is an ONNX file, but not of this plugin; write one by tools/export.py'
            ) from error
        except Exception as error:  # the runtime's own kinds have no other base
            raise ValueError(f'{name} is broken or no ONNX file: {error}') from error
        self.outputs = [output.name for output in self._session.get_outputs()]

    def check(self, model: nn.Module, name: str) -> None:
        """ValueError unless the file is of a network of this config, whatever its weights."""
        expected = describe(model)
        for key, value in expected.items():
            if self.description.get(key) != value:
                raise ValueError(
                    f'{name}: its {key} is {self.description.get(key)!r}, but {value!r} in the '
                    'config; give the config that it was exported from'
                )

    def estimate(self, images: Tensor) -> LixelEstimate:
        """(B, 3, H, W) RGB in [0, 255] -> coordinates and spreads in lixels."""
        arrays = self._session.run(self.outputs, {INPUT: images.float().cpu().numpy()})
        named = {name: torch.from_numpy(a) for name, a in zip(self.outputs, arrays, strict=True)}
        vertices, spread, joints = (named.get(name) for name in OUTPUTS)
        return LixelEstimate(vertices=vertices, spread=spread, joints=joints)
