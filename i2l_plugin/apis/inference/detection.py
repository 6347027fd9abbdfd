"""People or hands found by an MMDetection detector.

Shape legend: M boxes that the detector finds, N that are kept.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmpose.evaluation.functional import nms
from numpy.typing import NDArray

from i2l_plugin.apis.runner import load_config
from i2l_plugin.geometry.crop import box_has_area, clip_box

from .boxes import Boxes
from .crops import find_test_pipeline
from .loading import as_config, build_network, find_device

CLASS_NAMES = {'body': 'person', 'hand': 'hand'}
FoundBoxes = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def keep_people(
    found: NDArray[np.float32],
    size_px: tuple[int, int],
    source: str,
    bbox_thr: float,
    nms_thr: float,
) -> Boxes:
    """The detections that count, best first.

    Args:
        found: (M, 5), x1 y1 x2 y2 in px and score.
        size_px: Width and height of the picture.
        source: Name of the detector.
        bbox_thr: Boxes with a lower score are dropped.
        nms_thr: So are those that overlap with a better one by a larger intersection over union.

    Raises:
        ValueError: `found` has another shape.
    """
    found = np.asarray(found, np.float32)
    if found.ndim != 2 or found.shape[1] != 5:
        raise ValueError(
            f'detector {source!r}: got boxes of shape {found.shape}, expected (M, 5): x1 y1 x2 y2 '
            'in px and score'
        )
    found = found[found[:, 4] >= bbox_thr]
    box = clip_box(found[:, :4], size_px)
    has_area = box_has_area(box)
    found = np.concatenate([box, found[:, 4:]], axis=1)[has_area]
    found = found[nms(found, nms_thr)]
    return Boxes(found[:, :4], found[:, 4], source)


class Detector:
    """A detector of MMDetection, on one class.

    Args:
        config: Config, its file, or the name of one of MMDetection's models, such as
            ``'rtmdet_tiny_8xb32-300e_coco'``.
        checkpoint: Its weights, a file; nothing is downloaded.
        kind: ``'body'`` for the class ``person`` or ``'hand'`` for ``hand``.
        class_ids: Numbers of the classes to take instead, from 0.
        device: As in `init_model`. Without MMCV's CUDA operators a detector runs on the CPU.

    Attributes:
        name: Of the config or model.

    Raises:
        FileNotFoundError: No such file.
        ValueError: No such model, a checkpoint of another one, or no such class.
    """

    def __init__(
        self,
        config: str | os.PathLike | Config,
        checkpoint: str | None,
        kind: str = 'body',
        class_ids: int | Sequence[int] | None = None,
        device: str | None = None,
    ) -> None:
        # Registers MMDetection's parts. Here, because most people give their own boxes.
        from mmdet.registry import MODELS
        from mmdet.utils import register_all_modules

        register_all_modules(init_default_scope=False)
        detector_config, self.name = find_config(config)
        if checkpoint is None:
            raise ValueError(
                f'detector {self.name!r} has no checkpoint and nothing is downloaded; give its '
                'file as det_weights (--det-checkpoint)'
            )
        self.model = build_network(
            detector_config, MODELS, checkpoint, _device(device), more_weights=True
        )
        self.class_ids = self._find_classes(kind, class_ids)
        steps = [dict(step) for step in find_test_pipeline(detector_config)]
        steps[0] = dict(type='mmdet.LoadImageFromNDArray')
        steps = [step for step in steps if not str(step['type']).endswith('LoadAnnotations')]
        with DefaultScope.overwrite_default_scope('mmdet'):
            self.pipeline = Compose(steps)

    def __call__(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Boxes of the class and their scores, (M, 5); (H, W, 3) BGR."""
        data = self.pipeline(dict(img=image_bgr, img_id=0, img_path=None))
        batch = {name: [value] for name, value in data.items()}
        with torch.no_grad():
            (sample,) = self.model.test_step(batch)
        found = sample.pred_instances.cpu().numpy()
        wanted = np.isin(found.labels, self.class_ids)
        return np.concatenate([found.bboxes, found.scores[:, None]], axis=1)[wanted]

    def _find_classes(self, kind: str, class_ids: int | Sequence[int] | None) -> list[int]:
        classes = self._class_names()
        if class_ids is not None:
            ids = [class_ids] if isinstance(class_ids, int) else list(class_ids)
            if not ids or any(not 0 <= i < len(classes) for i in ids):
                raise ValueError(
                    f'det_cat_ids: got {ids}, but {self.name!r} has the classes 0 to '
                    f'{len(classes) - 1}: {classes[:10]}'
                )
            return ids
        names = [name.lower() for name in classes]
        if CLASS_NAMES[kind] not in names:
            raise ValueError(
                f'detector {self.name!r} finds {classes[:10]}, expected {CLASS_NAMES[kind]!r} for '
                f'the {kind} network; choose another one, or its class by det_cat_ids '
                '(--det-cat-ids)'
            )
        return [names.index(CLASS_NAMES[kind])]

    def _class_names(self) -> list[str]:
        """Of the checkpoint, else of the config's data, else of MSCOCO."""
        from mmdet.evaluation import get_classes

        meta = self.model.checkpoint_meta
        meta = {**{k.lower(): v for k, v in meta.items()}, **meta.get('dataset_meta', {})}
        dataset: Any = self.model.cfg.get('test_dataloader', {}).get('dataset', {})
        meta = {**dataset.get('metainfo', {}), **{k.lower(): v for k, v in meta.items()}}
        classes = meta.get('classes') or get_classes('coco')
        return [classes] if isinstance(classes, str) else list(classes)


def find_config(config: str | os.PathLike | Config) -> tuple[Config, str]:
    """A detector's config, by file or by its name (or alias) in MMDetection, and its name.

    A config that was made in Python is called by its model's type.

    Raises:
        FileNotFoundError, ValueError: As `load_config`; no model of that name.
    """
    if isinstance(config, Config):
        return as_config(config), Path(config.filename or config.model.type).stem
    config = os.fspath(config)
    if Path(config).is_file() or config.endswith(('.py', '.json', '.yml', '.yaml')):
        return load_config(config), Path(config).stem
    folder = BaseInferencer._get_repo_or_mim_dir('mmdet')
    for model in BaseInferencer._get_models_from_metafile(folder):
        aliases = model.get('Alias') or []
        aliases = [aliases] if isinstance(aliases, str) else aliases
        if config.lower() in {name.lower() for name in (model['Name'], *aliases)}:
            return load_config(str(Path(folder) / model['Config'])), model['Name']
    raise ValueError(
        f'detector {config!r} is neither a config file nor the name of a model of MMDetection, '
        "such as 'rtmdet_tiny_8xb32-300e_coco'"
    )


def _device(device: str | None) -> str:
    """The CPU where MMCV was built without its CUDA operators (non-maximum suppression, ...)."""
    place = find_device(device)
    cuda_operators = False
    with contextlib.suppress(ImportError):
        from mmcv.ops import get_compiling_cuda_version

        cuda_operators = get_compiling_cuda_version() != 'not available'
    if place.type == 'cuda' and not cuda_operators:
        MMLogger.get_current_instance().warning(
            'MMCV has no CUDA operators here (make setup MMCV_CUDA=1 builds them): the detector '
            'runs on the CPU'
        )
        return 'cpu'
    return str(place)
