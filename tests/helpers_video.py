"""Small videos written by PyAV directly, each frame a grey level that tells which frame it is."""

import struct
from fractions import Fraction

import av
import numpy as np


def level(frame_id):
    """Grey level of a frame; neighbours differ by more than the coding error."""
    return 20 + 37 * frame_id % 200


def grey_video(
    path,
    num_frames=12,
    fps=Fraction(30000, 1001),
    ticks=None,
    codec='libx264',
    width=64,
    height=48,
    options=None,
):
    """Frames whose left half is black; `ticks` are time stamps in ms if given."""
    flags = {'movflags': 'faststart'} if str(path).endswith('.mp4') else {}
    with av.open(str(path), 'w', options=flags) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        if ticks is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(num_frames):
            image = np.full((height, width, 3), level(i), np.uint8)
            image[:, : width // 2] = 0
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            frame.pts = i if ticks is None else ticks[i]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def levels_of(images):
    """Grey levels of the right halves of frames."""
    return [round(float(np.asarray(image)[8:-8, -24:-8].mean())) for image in images]


def turn_quarter(path):
    """Make an MP4 say that it must be shown turned by 90 degrees clockwise (matrix of `tkhd`)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b'tkhd') + 4 + 40  # ISO/IEC 14496-12, 8.3.2, version 0
    one = 1 << 16
    struct.pack_into('>9i', data, matrix, 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def claim_seconds(path, seconds):
    """Make the header of a Matroska file claim another duration (RFC 9559, 5.1.2.10)."""
    data = bytearray(path.read_bytes().replace(b'DURATION', b'DURATIOX'))  # each track's own
    place = data.index(b'\x44\x89\x88') + 3  # element 0x4489 of eight bytes, in ms
    struct.pack_into('>d', data, place, seconds * 1000.0)
    path.write_bytes(data)
