"""The SURREAL converter with its options, and what it wrote."""

import surreal
from helpers_converters import Converter
from helpers_gendered import model_options


def converter(folder, bodies):
    images = ('--images-out', str(folder / 'images'))
    return Converter(surreal, folder, *images, *model_options(folder, bodies))


def keys_of(record):
    clips, frames = record['id_clip'].tolist(), record['id_frame'].tolist()
    return [(clip.decode(), int(frame)) for clip, frame in zip(clips, frames, strict=True)]
