"""The file in which RootNet hands boxes and root joints to the mesh network's data sets.

`i2l_plugin.datasets.person_results` says what is in it, and reads it as ``bbox_file`` and
``root_depth_file``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from i2l_plugin.files import write_json
from i2l_plugin.geometry.crop import apply_affine, cropped_box_size, invert_affine

from .sample_fields import SampleDict, field
from .sample_scores import Record

UNITS_MM = {'mm': 1.0, 'm': 1000.0}


@METRICS.register_module()
class RootResultFile(BaseMetric):
    """Write ``{image_id, ann_id, bbox, root_cam}`` of every person, when all were predicted.

    ``bbox`` is the box that the network was shown, grown, as x, y, width, height in px; ``ann_id``
    tells apart people of one image. The file is written whole or not at all. The number of its
    entries, ``N``, is the result: nothing is compared, and no truth is needed.

    Args:
        out_file: File; its folder is made.
        unit: Of ``root_cam``: ``'mm'``, or ``'m'``, in which 3DPW and FreiHAND read it.
        collect_device, prefix, collect_dir: As in the host.

    Raises:
        ValueError: Unknown unit; and on evaluation, if a field is missing, a crop was turned (its
            box cannot be written), a root is not in front of the camera, or a person came twice.
    """

    default_prefix = 'root_file'

    def __init__(
        self,
        out_file: str,
        unit: str = 'mm',
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        if unit not in UNITS_MM:
            raise ValueError(f'unit must be one of {tuple(UNITS_MM)}, got {unit!r}')
        self.out_file, self.unit = out_file, unit

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's entry to the results."""
        for sample in data_samples:
            root_mm = field(sample, 'pred_instances', 'root_cam').double().cpu().numpy()
            if not (np.isfinite(root_mm).all() and root_mm[2] > 0):
                raise ValueError(
                    f'data sample {sample.get("sample_id")}: got root_cam {root_mm.tolist()} mm, '
                    'expected a place in front of the camera; check the checkpoint'
                )
            entry = dict(image_id=int(sample['image_id']), ann_id=int(sample['sample_id']))
            root_cam = root_mm / UNITS_MM[self.unit]
            self.results.append(entry | dict(bbox=_shown_box(sample), root_cam=root_cam.tolist()))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Write the file. -> ``N``, the number of entries."""
        ids, count = np.unique([entry['ann_id'] for entry in results], return_counts=True)
        if (count > 1).any():
            raise ValueError(
                f'{self.out_file}: got sample_id {ids[count > 1][:5].tolist()} more than once, '
                'expected each person once; nothing was written'
            )
        write_json(results, self.out_file)
        MMLogger.get_current_instance().info(
            f'{self.prefix}: {len(results)} boxes and root joints in {self.unit}, {self.out_file}'
        )
        return {'N': len(results)}


def _shown_box(sample: SampleDict) -> list[float]:
    """x, y, width, height in image px of what the crop of a sample shows."""
    crop = torch.as_tensor(sample['crop_from_image'], dtype=torch.float64)
    if abs(crop[0, 1]) > 1e-6 * crop[0, 0]:
        raise ValueError(
            f'data sample {sample.get("sample_id")}: got a turned crop, whose box cannot be '
            'written; test without rotation'
        )
    size_px = cropped_box_size(crop, sample['input_size'])
    middle = crop.new_tensor([list(sample['input_size'])]) / 2
    center_px = apply_affine(invert_affine(crop), middle)[0]
    return torch.cat([center_px - size_px / 2, size_px]).tolist()
