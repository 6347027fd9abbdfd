"""A network as one ONNX file: a crop in, lixels out, and nothing of a body model.

The file takes crops as pictures are, RGB from 0 to 255, since it holds the normalisation. It gives
``vertices_lixel`` and ``vertex_spread_lixel`` and, of a network with PoseNet, ``joints_lixel``.
MeshNet alone has no joints of its own: they would need the body model's regressor.
Shapes: B batch, J joints, V vertices, H and W of the crop.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

import i2l_plugin
from i2l_plugin.files import write_atomically

from .onnx_network import DESCRIPTION_KEY, INPUT, OUTPUTS, OnnxNetwork, describe, need

TOLERANCE_LIXEL = 1e-3
_MAX_FILE_BYTES = 2 * 1024**3  # of a protobuf message
_CHECKED_BATCHES = (1, 3)  # neither is the batch that is traced


class CropNetwork(nn.Module):
    """What the file holds: normalisation and the network, from crops to lixels."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        preprocessor = model.data_preprocessor
        # PoseDataPreprocessor turns BGR, as OpenCV reads, to RGB, or leaves it
        self.wants_rgb = preprocessor._channel_conversion
        self.normalises = preprocessor._enable_normalize

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) RGB in [0, 255] -> vertices, spread (B, V, 3) and joints (B, J, 3)."""
        if not self.wants_rgb:
            image = image.flip(1)
        if self.normalises:
            preprocessor = self.model.data_preprocessor
            image = (image - preprocessor.mean) / preprocessor.std
        estimate = self.model.estimate(image)
        coordinates = (estimate.vertices, estimate.spread)
        return coordinates if estimate.joints is None else (*coordinates, estimate.joints)


def export_onnx(model: nn.Module, path: str | os.PathLike) -> float:
    """Write an estimator as an ONNX file, after comparing the two on random crops.

    Args:
        model: Mesh network on the CPU, e.g. of `init_model`.
        path: ``.onnx``; appears when the check has passed.

    Returns:
        The largest difference between ONNX Runtime and PyTorch, in lixels.

    Raises:
        ValueError: The packages are missing, the name is wrong, the network is of another class, or
            it says something else there than here (`TOLERANCE_LIXEL`).
    """
    path = Path(path)
    if path.suffix != '.onnx':
        raise ValueError(f'out: got {str(path)!r}, expected a name that ends in .onnx')
    description = describe(model)
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        need(package)
    network = CropNetwork(model).eval()
    content = _to_bytes(network, description)
    difference = compare(network, OnnxNetwork(content), _crops(model))
    if not difference <= TOLERANCE_LIXEL:  # NaN is not either
        raise ValueError(
            f'{path}: ONNX Runtime and PyTorch differ by {difference:g} lixel on random crops, '
            f'expected at most {TOLERANCE_LIXEL:g}; nothing was written. Is the checkpoint whole?'
        )
    write_atomically(path, content)
    return difference


def compare(network: CropNetwork, exported: OnnxNetwork, crops: list[Tensor]) -> float:
    """The largest difference of any coordinate or spread on batches of crops, in lixels."""
    differences = []
    for images in crops:
        with torch.no_grad():
            expected = network(images)
        estimate = exported.estimate(images)
        outputs = (estimate.vertices, estimate.spread, estimate.joints)
        differences += [
            (got - want).abs().max() for got, want in zip(outputs, expected, strict=False)
        ]
    return torch.stack(differences).max().item()


def _crops(model: nn.Module) -> list[Tensor]:
    width, height = model.codec.input_size
    generator = torch.Generator().manual_seed(0)
    return [255 * torch.rand(b, 3, height, width, generator=generator) for b in _CHECKED_BATCHES]


def _to_bytes(network: CropNetwork, description: dict) -> bytes:
    """Serialised ONNX model with the description in its metadata."""
    (example, *_) = (torch.cat([images] * 2) for images in _crops(network.model))  # B = 2
    outputs = OUTPUTS if network.model.with_posenet else OUTPUTS[:2]
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_shapes=({0: torch.export.Dim('batch')},),
            external_data=False,
        )
        model = program.model_proto
    size = model.ByteSize()
    if size >= _MAX_FILE_BYTES:
        raise ValueError(f'the network takes {size} bytes, more than one ONNX file can hold')
    model.producer_name, model.producer_version = 'i2l_plugin', i2l_plugin.__version__
    model.doc_string = description['input']
    entry = model.metadata_props.add()
    entry.key, entry.value = DESCRIPTION_KEY, json.dumps(description)
    return model.SerializeToString()


@contextlib.contextmanager
def _quiet():
    """Without the exporter's own progress report and its advice on torch's internals."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)
