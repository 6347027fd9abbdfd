"""Downloads of known truth -> converter -> data set class: who is taken, whose fit is used."""

import human36m
import muco
import numpy as np
import pw3d
import pytest
import surreal
from helpers_converters import Converter, body_off_origin, posed_vertices_mm
from helpers_gendered import model_options, posed_by_gender_mm, toy_bodies
from helpers_human36m import write_human36m
from helpers_muco import write_muco
from helpers_pw3d import write_pw3d
from helpers_runs import save_toy_model
from helpers_surreal import write_surreal

from i2l_plugin.datasets import (
    Human36MMeshDataset,
    MuCo3DHPMeshDataset,
    PW3DMeshDataset,
    SURREALMeshDataset,
)


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def with_model(module, folder, data, *options):
    model = save_toy_model(folder / 'smpl.npz', data=data)
    return Converter(module, folder, '--body-model', str(model), *options)


def check_fits(dataset, people, data):
    """Fits of the good are used and land on the truth, those of the rest are not."""
    found = infos(dataset)
    fits = [people[info['sample_id']].fit for info in found]
    assert {'good', 'far', 'missing'} <= set(fits)
    good = [fit == 'good' for fit in fits]
    assert [info['fit_valid'] for info in found] == good
    truth = [people[info['sample_id']].vertices_cam_mm for info in found]
    posed = posed_vertices_mm(data, dataset)
    np.testing.assert_allclose(posed[good], np.array(truth)[good], atol=0.1, rtol=0)


@pytest.fixture(scope='module')
def h36m(tmp_path_factory):
    """Truth, model and record of all that any test protocol of Human3.6M takes."""
    folder, data = tmp_path_factory.mktemp('h36m'), body_off_origin()
    truth = write_human36m(folder, data)
    convert = with_model(human36m, folder, data)
    convert('--split', 'test', '--frame-step', '5', '64', '--cameras', '1', '2', '3', '4')
    return truth, data, str(convert.out)


@pytest.mark.parametrize(
    ('protocol', 'step', 'cameras'),
    [
        ('h36m/paper', 64, (4,)),
        ('h36m/paper-4cameras', 64, (1, 2, 3, 4)),
        ('h36m/protocol1', 5, (1, 2, 3, 4)),
        ('h36m/protocol2', 5, (4,)),
    ],
)
def test_one_record_of_human36m_serves_every_protocol(h36m, protocol, step, cameras):
    truth, data, file = h36m
    dataset = Human36MMeshDataset(file, protocol=protocol, test_mode=True)
    taken = sorted(info['sample_id'] for info in infos(dataset))
    assert taken == truth.selected((9, 11), [step], cameras)
    check_fits(dataset, truth.people, data)


def test_a_record_of_one_protocol_does_not_pass_for_another(tmp_path):
    data = body_off_origin()
    write_human36m(tmp_path, data)
    convert = with_model(human36m, tmp_path, data)
    convert('--split', 'test')
    assert len(Human36MMeshDataset(str(convert.out), protocol='h36m/paper')) > 0
    for protocol in ('h36m/protocol1', 'h36m/protocol2', 'h36m/train'):
        with pytest.raises(ValueError, match=r'out.npz has .*, expected all of h36m/'):
            Human36MMeshDataset(str(convert.out), protocol=protocol)


def test_mucos_bad_fits_are_not_used(tmp_path):
    data = body_off_origin()
    truth = write_muco(tmp_path, data)
    convert = with_model(muco, tmp_path, data, '--split', 'train')
    convert()
    dataset = MuCo3DHPMeshDataset(str(convert.out), protocol='muco/train')
    assert [info['sample_id'] for info in infos(dataset)] == truth.closest
    check_fits(dataset, truth.people, data)


def test_everyone_of_3dpw_is_posed_by_their_own_gender(tmp_path):
    bodies = toy_bodies()
    truth = write_pw3d(tmp_path, bodies, splits=('test',))
    convert = Converter(pw3d, tmp_path, '--split', 'test', *model_options(tmp_path, bodies))
    convert()
    dataset = PW3DMeshDataset(str(convert.out), protocol='3dpw/paper', test_mode=True)
    found = infos(dataset)
    keys = [(info['id_sequence'], info['id_person'], info['id_frame']) for info in found]
    assert sorted(keys) == truth.kept('test')
    posed = posed_by_gender_mm(bodies, dataset, [info['gender'] for info in found])
    expected = np.array([truth.people[key].vertices_cam_mm for key in keys])
    np.testing.assert_allclose(posed, expected, atol=0.1, rtol=0)


def test_surreals_clips_without_anyone_belong_to_one_protocol_only(tmp_path):
    bodies = toy_bodies()
    truth = write_surreal(tmp_path, bodies)
    options = ('--images-out', str(tmp_path / 'images'), *model_options(tmp_path, bodies))
    convert = Converter(surreal, tmp_path, '--split', 'test', *options)
    convert()
    in_view = {}
    for protocol in ('surreal/507', 'surreal/493'):
        dataset = SURREALMeshDataset(str(convert.out), protocol=protocol, test_mode=True)
        keys = [(info['id_clip'], info['id_frame']) for info in infos(dataset)]
        in_view[protocol] = [truth.people[key].in_view for key in keys]
    assert sorted(in_view['surreal/507']) == [False, True, True]
    assert in_view['surreal/493'] == [True, True]
