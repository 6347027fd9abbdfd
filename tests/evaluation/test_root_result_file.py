"""RootNet's file: what is in it, what is refused, and that no half of one is left."""

import json

import numpy as np
import pytest
from helpers_genders import evaluate
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from i2l_plugin.datasets.person_results import read_person_results
from i2l_plugin.evaluation import RootResultFile
from i2l_plugin.geometry.crop import crop_from_image


def shown(sample_id, root_mm=(10.0, -20.0, 3000.0), rotation_deg=0.0, input_size=(64, 64)):
    """A person in the box from (30, 50) to (110, 130), as the network was shown it."""
    crop = crop_from_image((70, 90), (80, 80), rotation_deg, input_size)
    metainfo = dict(sample_id=sample_id, image_id=7, crop_from_image=crop, input_size=input_size)
    sample = PoseDataSample(metainfo=metainfo)
    sample.pred_instances = InstanceData(root_cam=np.array([root_mm], np.float32))
    return sample


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'made' / 'roots.json'


@pytest.mark.parametrize(('unit', 'factor'), [('mm', 1), ('m', 1000)])
def test_entries_are_boxes_and_roots_in_the_unit_of_the_data_set(path, unit, factor):
    samples = [shown(5), shown(6, (1.25, 2.5, 4321.5)), shown(9)]
    results = evaluate(samples, RootResultFile(str(path), unit), batch_size=2)
    assert results == {'root_file/N': 3}
    entries = json.loads(path.read_text())
    assert [set(entry) for entry in entries] == [{'image_id', 'ann_id', 'bbox', 'root_cam'}] * 3
    np.testing.assert_allclose([one['bbox'] for one in entries], [[30, 50, 80, 80]] * 3, atol=1e-9)
    np.testing.assert_allclose(
        np.array(entries[1]['root_cam']) * factor, [1.25, 2.5, 4321.5], atol=1e-6
    )
    read = read_person_results(path)
    assert read.grown
    assert (read.image_id.tolist(), read.ann_id.tolist()) == ([7, 7, 7], [5, 6, 9])


def test_boxes_have_the_shape_of_the_input(path):
    """80 px wide around (70, 90), and a third higher."""
    evaluate([shown(5, input_size=(48, 64))], RootResultFile(str(path)))
    (entry,) = json.loads(path.read_text())
    np.testing.assert_allclose(entry['bbox'], [30, 90 - 160 / 3, 80, 320 / 3], atol=1e-9)


def test_an_unknown_unit_is_refused(path):
    with pytest.raises(ValueError, match=r"unit must be one of \('mm', 'm'\), got 'cm'"):
        RootResultFile(str(path), 'cm')


@pytest.mark.parametrize(
    ('samples', 'message'),
    [
        ([shown(5), shown(5)], r'roots.json: got sample_id \[5\] more than once'),
        ([shown(5, (0, 0, -1))], r'sample 5: got root_cam .*-1.* expected a place in front'),
        ([shown(5, (0, float('nan'), 1))], r'sample 5: got root_cam .*nan'),
        ([shown(5, rotation_deg=10.0)], 'sample 5: got a turned crop.*without rotation'),
        ([shown(5, rotation_deg=-10.0)], 'sample 5: got a turned crop.*without rotation'),
    ],
)
def test_what_a_file_cannot_say_is_refused_and_the_old_one_stays(path, samples, message):
    path.parent.mkdir()
    path.write_text('old')
    with pytest.raises(ValueError, match=message):
        evaluate(samples, RootResultFile(str(path)))
    assert path.read_text() == 'old'
    assert [one.name for one in path.parent.iterdir()] == ['roots.json']
