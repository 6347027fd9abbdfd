"""The 3DPW converter on a small data set whose files get broken, and what it wrote."""

import pw3d
from helpers_converters import Converter
from helpers_gendered import model_options, toy_bodies
from helpers_official_files import write_python2_pickle
from helpers_pw3d import write_pw3d

from i2l_plugin.body_models.safe_pickle import restricted_load


def keys_of(record):
    names = ('id_sequence', 'id_person', 'id_frame')
    return [
        (name.decode(), int(person), int(frame))
        for name, person, frame in zip(*(record[n].tolist() for n in names), strict=True)
    ]


def small(tmp_path, **kwargs):
    """A converter of the one-actor training sequence, for files that get broken."""
    bodies = toy_bodies()
    truth = write_pw3d(tmp_path, bodies, splits=('train',), **kwargs)
    return Converter(pw3d, tmp_path, '--split', 'train', *model_options(tmp_path, bodies)), truth


def edit_pickle(path, change):
    with path.open('rb') as file:
        content = restricted_load(file, path)
    change(content)
    write_python2_pickle(path, content)
