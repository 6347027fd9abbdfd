"""The images and the closest people of a MuCo-3DHP file of gigabytes, in arrays, from streams.

Shape legend: I images.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from converter_core.builder import RecordBuilder
from converter_core.columns import NumberColumn, TextColumn
from converter_core.entries import integer, label, numbers, text
from converter_core.files import stream_items
from converter_core.progress import SILENT, Progress
from numpy.typing import NDArray

from i2l_plugin.body_models import MUCO_21

_FIELDS = ('image_size_px', 'focal_px', 'princpt_px')


class Ids:
    """Numbers, and where each of them is, in a few bytes a number.

    Args:
        ids: (n,) in any order; the first one counts where one is repeated.
    """

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids = ids
        self._order = np.argsort(ids, kind='stable')
        self._sorted = ids[self._order]

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, number: int) -> int:
        """Position of a number, or -1."""
        i = int(np.searchsorted(self._sorted, number))
        known = i < len(self._sorted) and self._sorted[i] == number
        return int(self._order[i]) if known else -1


def closest_people(path: Path, progress: Progress = SILENT) -> Ids:
    """Annotation ids of the person of each image whose root is closest to the camera.

    A person whose joints cannot be read counts as the closest one: nobody else of that image is
    surely in front. The first one counts among equals.

    Args:
        path: ``MuCo-3DHP.json``.
        progress: Makes the bar.
    """
    images, people, depths = array('q'), array('q'), array('d')
    for entry in stream_items(path, 'annotations.item', progress):
        try:
            image, person = integer(entry, 'image_id'), integer(entry, 'id')
        except ValueError:
            continue  # said when people are added
        images.append(image)
        people.append(person)
        depths.append(_root_depth_mm(entry))
    order = np.lexsort((np.array(depths), np.array(images)))  # stable
    first = np.diff(np.array(images)[order], prepend=np.nan) != 0
    return Ids(np.array(people)[order[first]])


def _root_depth_mm(entry: Mapping[str, Any]) -> float:
    try:
        return float(numbers(entry, 'keypoints_cam', (len(MUCO_21), 3))[MUCO_21.root, 2])
    except ValueError:
        return -np.inf


class Images:
    """The image entries, found by their id.

    Args:
        ids: Of the I images.
        columns: (I, 2) each of `_FIELDS`.
        names: File names.
    """

    def __init__(self, ids: Ids, columns: Mapping[str, NDArray], names: TextColumn) -> None:
        self.ids, self._columns, self._names = ids, columns, names

    @classmethod
    def read(cls, path: Path, builder: RecordBuilder) -> Images:
        """From ``MuCo-3DHP.json``; ValueError at a corrupt entry that is not to be skipped."""
        ids, names = array('q'), TextColumn()
        columns = {name: NumberColumn((2,), 'float64') for name in _FIELDS}
        for entry in stream_items(path, 'images.item', builder.progress):
            with builder.entry(path, f'images, id {label(entry)}'):
                row = {
                    'image_size_px': (integer(entry, 'width'), integer(entry, 'height')),
                    'focal_px': numbers(entry, 'f', (2,)),
                    'princpt_px': numbers(entry, 'c', (2,)),
                }
                number, name = integer(entry, 'id'), text(entry, 'file_name')
                ids.append(number)
                names.append(name)
                for key, cell in row.items():
                    columns[key].append(cell)
        return cls(Ids(np.array(ids)), {key: c.take() for key, c in columns.items()}, names)

    def find(self, image_id: int) -> int:
        """Row of an image; ValueError if there is none."""
        row = self.ids.find(image_id)
        if row < 0:
            raise ValueError(f'image_id: got {image_id}, but there is no such image')
        return row

    def fields(self, row: int) -> dict[str, Any]:
        """What `RecordBuilder.add` wants to know of the image."""
        values = {name: column[row] for name, column in self._columns.items()}
        return {'image_path': self._names[row].decode(), **values}
