"""Files that visitors upload: pictures and clips of noise, sound, bombs."""

import struct
import zlib

import av
import cv2
import numpy as np
from helpers_inference import IMAGE_SIZE, noise_picture

from i2l_plugin.apis.inference.video import VideoWriter

CLIP_SIZE = (96, 64)


def save_picture(path, seed=0, size=IMAGE_SIZE):
    """A file of noise."""
    cv2.imwrite(str(path), noise_picture(seed, size))
    return path


def save_clip(path, num_frames=6, fps=10, size=CLIP_SIZE):
    """An MP4 of noise."""
    with VideoWriter(path, fps) as video:
        for i in range(num_frames):
            video.write(noise_picture(i, size))
    return path


def save_sound(path):
    """A second of silence without a picture."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('aac' if path.suffix == '.m4a' else 'pcm_s16le', rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), 's16', 'mono')
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def png_bomb(width, height):
    """A small PNG file whose header claims so many pixels, of which there are a few rows."""

    def chunk(kind, data):
        length, check = (struct.pack('>I', n) for n in (len(data), zlib.crc32(kind + data)))
        return length + kind + data + check

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * width) * 4)
    chunks = chunk(b'IHDR', header), chunk(b'IDAT', rows), chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks)
