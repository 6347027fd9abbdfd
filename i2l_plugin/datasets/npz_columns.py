"""Named arrays in an .npz file: written whole or not at all, read as maps of the file.

An uncompressed .npz is a zip file whose members lie in it byte by byte, so the arrays are memory
maps: opening reads a few kilobytes, and all processes on a machine (data-loader workers, forked or
spawned, and the ranks of a distributed run) share one copy in the page cache. Nothing is unpickled.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from i2l_plugin.files import replacing

_LOCAL_HEADER_SIZE = 30  # of a zip member; its name and extra field follow (APPNOTE 4.3.7)


def write_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, uncompressed. The same arrays give the same bytes; a file is never left half
    written, because a temporary file in the same folder takes the name at the end."""
    with replacing(path) as temporary, temporary.open('wb') as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


def read_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read-only arrays of an .npz file, mapped where uncompressed, else loaded into memory.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no .npz file, is cut short, or holds pickled Python objects.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{path}: no such file; expected an annotation .npz: check ann_file and data_root, or '
            'run the converter of the data set'
        )
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive, open(path, 'rb') as file:
            buffer = np.memmap(file, np.uint8, mode='r')
            for member in archive.infolist():
                name = member.filename.removesuffix('.npy')
                if member.compress_type == zipfile.ZIP_STORED:
                    arrays[name] = _map_member(file, buffer, member)
                else:
                    with archive.open(member) as stream:
                        arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
                        arrays[name].flags.writeable = False
    except (zipfile.BadZipFile, zlib.error, ValueError, TypeError, EOFError, OSError) as error:
        raise ValueError(
            f'{path}: got a file that cannot be read ({error}); expected a complete .npz without '
            'pickled objects: convert or copy it again'
        ) from error
    return arrays


def _map_member(file: BinaryIO, buffer: np.memmap, member: zipfile.ZipInfo) -> np.ndarray:
    """The array of an uncompressed member, as a view of the mapped file."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER_SIZE)
    name_length, extra_length = (int.from_bytes(header[i : i + 2], 'little') for i in (26, 28))
    file.seek(member.header_offset + _LOCAL_HEADER_SIZE + name_length + extra_length)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f'{member.filename} has npy format version {version}')
    if dtype.hasobject:
        raise ValueError(f'{member.filename} holds pickled Python objects')
    return np.ndarray(
        shape, dtype, buffer=buffer, offset=file.tell(), order='F' if is_fortran else 'C'
    )
