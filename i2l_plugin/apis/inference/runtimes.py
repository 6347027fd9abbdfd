"""What runs the network on crops: PyTorch, with options that make it faster, or ONNX Runtime.

All of them average each crop with its mirror image where ``test_cfg.flip_test`` says so.
Shapes: B crops of a batch, H and W of the crop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from i2l_plugin.apis.onnx_network import OnnxNetwork
from i2l_plugin.models.decoding import LixelEstimate

from .crops import Packed

BACKENDS = ('pytorch', 'onnxruntime')
PRECISIONS = ('float32', 'bfloat16')
Estimate = Callable[[Tensor], LixelEstimate]


class _Runtime:
    """Packed people to samples with `pred_instances`; a subclass says how crops become lixels."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def estimate(self, inputs: Tensor) -> LixelEstimate:
        """Lixels of prepared crops (B, 3, H, W)."""
        raise NotImplementedError

    def prepare(self, packed: Sequence[Packed]) -> tuple[Tensor, list[PoseDataSample]]:
        """Crops as `estimate` takes them, (B, 3, H, W), and their samples."""
        raise NotImplementedError

    @torch.no_grad()
    def __call__(self, packed: Sequence[Packed]) -> list[PoseDataSample]:
        inputs, samples = self.prepare(packed)
        estimate = self.estimate(inputs)
        if self.model.test_cfg.get('flip_test', False):
            mirrored = self.estimate(inputs.flip(-1))
            estimate = estimate.average(mirrored.mirror(self.model.codec, self.model.body_model))
        return self.model.place(estimate, samples)


class TorchRuntime(_Runtime):
    """PyTorch.

    Args:
        model: A mesh network on its device.
        precision: ``'bfloat16'`` computes convolutions and matrix products so, as autocast does;
            softmax, coordinates and cameras stay float32.
        channels_last: Keep channels innermost in memory, which convolutions on many CPUs prefer.
        compile_network: Compile the network by ``torch.compile`` at the first batch, which takes
            a minute and a C++ compiler, and again at the first batch of another size.

    Raises:
        ValueError: No such precision; at the first batch, that the network cannot be compiled.
    """

    def __init__(
        self,
        model: nn.Module,
        precision: str = 'float32',
        channels_last: bool = False,
        compile_network: bool = False,
    ) -> None:
        super().__init__(model)
        if precision not in PRECISIONS:
            raise ValueError(f'precision: got {precision!r}, expected one of {PRECISIONS}')
        self.bfloat16 = precision == 'bfloat16'
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        model.to(memory_format=self.memory_format)
        self.is_compiled = compile_network
        self._estimate: Estimate = (
            torch.compile(model.estimate) if compile_network else model.estimate
        )

    def prepare(self, packed: Sequence[Packed]) -> tuple[Tensor, list[PoseDataSample]]:
        data = self.model.data_preprocessor(pseudo_collate(packed))
        return data['inputs'].contiguous(memory_format=self.memory_format), data['data_samples']

    def estimate(self, inputs: Tensor) -> LixelEstimate:
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bfloat16):
            if not self.is_compiled:
                return self._estimate(inputs)
            try:
                return self._estimate(inputs)
            except torch._dynamo.exc.TorchDynamoException as error:
                reason = ' '.join(str(error).split())[:200]
                raise ValueError(
                    'compile_network (--compile): torch.compile cannot compile the network here '
                    f'({reason}); it needs a C++ compiler; leave it out'
                ) from error


class OnnxRuntime(_Runtime):
    """ONNX Runtime, on the CPU; cameras and body model stay with PyTorch's network.

    Args:
        model: The mesh network of the config; its weights are given up, for they are not needed.
        path: File of `tools/export.py`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is broken, or of another config's network.
    """

    def __init__(self, model: nn.Module, path: str) -> None:
        super().__init__(model)
        self.network = OnnxNetwork(path)
        self.network.check(model, path)
        for parameter in model.parameters():
            parameter.data = parameter.data.new_empty(0)

    def prepare(self, packed: Sequence[Packed]) -> tuple[Tensor, list[PoseDataSample]]:
        images = torch.stack([one['inputs'] for one in packed])  # (B, 3, H, W) BGR
        return images.flip(1).float(), [one['data_samples'] for one in packed]

    def estimate(self, inputs: Tensor) -> LixelEstimate:
        return self.network.estimate(inputs)


def check_backend(
    backend: str,
    weights: str | None,
    device: str | None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Refuse what `make_runtime` cannot make, before a network is built.

    Raises:
        ValueError: No such backend; or ONNX Runtime without a file, with a device other than the
            CPU, or with options.
    """
    if backend not in BACKENDS:
        raise ValueError(f'backend: got {backend!r}, expected one of {BACKENDS}')
    if backend == 'onnxruntime':
        if weights is None:
            raise ValueError('weights: ONNX Runtime needs a file; tools/export.py writes one')
        if device not in (None, 'cpu'):
            raise ValueError(f'device: got {device!r}, but ONNX Runtime runs on the cpu here')
        if options:
            raise ValueError(f'backend_options: got {dict(options)}, which are those of pytorch')


def make_runtime(
    backend: str, model: nn.Module, weights: str | None, options: Mapping[str, Any] | None = None
) -> TorchRuntime | OnnxRuntime | None:
    """What runs a mesh network; None for its own ``test_step``.

    Args:
        backend: ``'pytorch'`` or ``'onnxruntime'``.
        model: The network.
        weights: File of `tools/export.py`, for ONNX Runtime.
        options: Of `TorchRuntime`.
    """
    if backend == 'onnxruntime':
        return OnnxRuntime(model, weights)
    return TorchRuntime(model, **options) if options else None
