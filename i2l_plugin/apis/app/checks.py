"""What an uploaded file is, from its first bytes and its header; nothing is decoded here.

Names and types that a browser sends are not believed. Only containers that are named here ever
reach a decoder: others, such as play lists, may make a decoder open further files or addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.stream import Disposition
from PIL import Image

from .limits import Limits, RefusedError

_HEAD_BYTES = 64
_PICTURES = {  # first bytes; name of Pillow's reader; extension
    rb'\xff\xd8\xff': ('JPEG', '.jpg'),
    rb'\x89PNG\r\n\x1a\n': ('PNG', '.png'),
    rb'RIFF....WEBP': ('WEBP', '.webp'),
    rb'BM': ('BMP', '.bmp'),
}
_VIDEOS = {  # first bytes; name of FFmpeg's reader; extension
    rb'....(ftyp|moov|mdat|wide|free|skip)': ('mov', '.mp4'),
    rb'\x1a\x45\xdf\xa3': ('matroska', '.mkv'),
    rb'RIFF....AVI ': ('avi', '.avi'),
}
_KNOWN_BUT_NOT_READ = {
    rb'....ftyp(heic|heix|hevc|mif1|msf1)': 'a HEIC picture; save it as JPEG',
    rb'....ftyp(avif|avis)': 'an AVIF picture; save it as JPEG or PNG',
    rb'GIF8': 'a GIF; save it as PNG or MP4',
    rb'(II\*\x00|MM\x00\*)': 'a TIFF or raw picture; save it as JPEG or PNG',
    rb'%PDF': 'a PDF; save its picture as JPEG or PNG',
}
_UNREADABLE = '“{}” is damaged or cut short: its header cannot be read as that of a clip.'


@dataclass(frozen=True)
class Upload:
    """What was found out about a file.

    Attributes:
        kind: ``'picture'`` or ``'clip'``.
        suffix: Extension that tells decoders the truth.
        width, height: In px, as its header says.
        seconds: Of a clip, as its header says; None if it does not.
    """

    kind: Literal['picture', 'clip']
    suffix: str
    width: int
    height: int
    seconds: float | None = None


def check_upload(path: Path, name: str, limits: Limits) -> Upload:
    """Look at a file's beginning and header.

    Args:
        path: The file.
        name: Under which the visitor knows it, for messages.
        limits: What is allowed.

    Raises:
        RefusedError: It is empty, nothing that is read here, damaged, or too large.
    """
    with path.open('rb') as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise RefusedError(f'“{name}” is empty (0 bytes).')
    if found := _match(_KNOWN_BUT_NOT_READ, head):
        raise RefusedError(f'“{name}” is {found}, and try again.')
    if found := _match(_PICTURES, head):
        width, height = _picture_size(path, name, found[0], limits)
        upload = Upload('picture', found[1], width, height)
    elif found := _match(_VIDEOS, head):
        upload = _clip(path, name, *found)
    else:
        raise RefusedError(
            f'“{name}” is neither a picture (JPEG, PNG, WebP, BMP) nor a clip (MP4, MOV, WebM, '
            'MKV, AVI), whatever its name says.'
        )
    limits.check_size(upload.width, upload.height, name)
    return upload


def _match(table: dict, head: bytes):
    return next((v for k, v in table.items() if re.match(k, head, re.DOTALL)), None)


def _picture_size(path: Path, name: str, reader: str, limits: Limits) -> tuple[int, int]:
    """Width and height in the header; Pillow decodes nothing before it is asked for pixels."""
    try:
        with Image.open(path, formats=[reader]) as image:
            return image.size
    except Image.DecompressionBombError as error:
        raise RefusedError(
            f'“{name}” has far more than {limits.max_megapixels:g} million pixels, the most that '
            'are taken.'
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise RefusedError(f'“{name}” is damaged: its {reader} header cannot be read.') from error


def _clip(path: Path, name: str, reader: str, suffix: str) -> Upload:
    try:
        with av.open(str(path), format=reader) as container:
            streams = [
                stream
                for stream in container.streams.video
                if not stream.disposition & Disposition.attached_pic  # the cover of a song
            ]
            duration, has_sound = container.duration, bool(container.streams.audio)
            sizes = [(s.codec_context.width, s.codec_context.height) for s in streams]
    except (av.FFmpegError, OSError, ValueError) as error:
        raise RefusedError(_UNREADABLE.format(name)) from error
    if not sizes and has_sound:
        raise RefusedError(f'“{name}” has no moving pictures in it, only sound.')
    width, height = sizes[0] if sizes else (0, 0)
    if not width or not height:
        raise RefusedError(_UNREADABLE.format(name))
    return Upload('clip', suffix, width, height, duration / av.time_base if duration else None)
