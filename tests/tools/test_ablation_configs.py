"""Every row of the paper's ablations builds at full size, takes a step when shrunk, and tests."""

import math
import re
import shlex

import pytest
import torch
from helpers_dataset_runs import shrunk
from helpers_models import make_sample, toy_body
from helpers_runs import ROOT, is_second_stage
from mmengine.config import Config
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.runner import build_runner, load_config
from i2l_plugin.body_models import build_body_model

CONFIGS = sorted((ROOT / 'configs/ablations').glob('*.py'))
FIVE_TERMS = {
    *('loss_posenet_pose', 'loss_meshnet_pose', 'loss_vertex', 'loss_normal', 'loss_edge'),
}
TRUNK, BODY_LIXELS = 23_508_032, 6890  # ResNet-50 without its last layer; N
LIXEL_HEAD = 49_403_070
MILLIONS = {'smpl-parameters': 91, 'xyz': 117, 'lixel-without-spatial': 82, 'lixel': 73}  # Table 1


def dense(inputs, outputs):
    """Fully connected layer and normalisation."""
    return inputs * outputs + outputs + 2 * outputs


def depth_branch(lixels):
    return dense(2048, 256 * lixels) + 256 * BODY_LIXELS + BODY_LIXELS


UPSAMPLING = [2048 * 256 + 512]  # by the number of modules
UPSAMPLING += [2048 * 256 * 16 + 512 + i * (256 * 256 * 16 + 512) for i in range(3)]
POINTWISE = 256 * BODY_LIXELS + BODY_LIXELS
HEADS = {
    'table01_smpl-parameters': dense(2048, 30720) + 30721 * (24 * 6 + 10 + 2),
    'table01_xyz': dense(2048, 4096) + 4096 * 3 * BODY_LIXELS + 3 * BODY_LIXELS,
    'table01_lixel-without-spatial': dense(2048, 384 * 64) + 3 * 385 * BODY_LIXELS,
    'table01_lixel': LIXEL_HEAD,
    'table02_voxel-8': UPSAMPLING[0] + 8 * POINTWISE,
    'table02_voxel-16': UPSAMPLING[1] + 16 * POINTWISE,
    'table02_pixel-8': UPSAMPLING[0] + POINTWISE + depth_branch(8),
    'table02_pixel-32': UPSAMPLING[2] + POINTWISE + depth_branch(32),
    'table02_pixel-64': UPSAMPLING[3] + POINTWISE + depth_branch(64),
    'table02_lixel-8': UPSAMPLING[0] + 2 * POINTWISE + depth_branch(8),
    'table02_lixel-32': UPSAMPLING[2] + 2 * POINTWISE + depth_branch(32),
    'table02_lixel-64': LIXEL_HEAD,
    'table08_feature': (
        2 * (2048 * 256 * 4 + 512 + 2 * (256 * 256 * 4 + 512)) + 2 * POINTWISE + depth_branch(64)
    ),
    'table09_max': LIXEL_HEAD,
    'table09_weighted': LIXEL_HEAD + 2 * (256 * 256 * 64 + 256),
    'table10_depth-map-8': UPSAMPLING[0] + 2 * POINTWISE,
    'table10_depth-map-32': UPSAMPLING[2] + 2 * POINTWISE,
}
HEADS.update({f'table10_lixel-{d}': HEADS[f'table02_lixel-{d}'] for d in (8, 32, 64)})


def by_name(path):
    return path.stem


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope='module')
def open_body():
    return build_body_model(kind='body', path='open')


@pytest.mark.parametrize('path', CONFIGS, ids=by_name)
def test_it_builds_at_full_size_with_the_parameters_that_its_layers_have(path, open_body):
    register_all_modules()
    config = load_config(str(path))
    assert config.model.codec.heatmap_size == (64, 64, 64)  # losses count the same lixels
    with torch.device('meta'):
        model = MODELS.build({**config.model, 'body_model': open_body})
    assert count(model.backbone) == TRUNK
    if path.stem in HEADS:
        assert count(model.mesh_head) == HEADS[path.stem]
    else:
        assert count(model.mesh_head) == LIXEL_HEAD
    if model.with_posenet:
        regressor = count(model.parameter_regressor) if is_second_stage(path) else 0
        assert count(model) == 141_628_949 + regressor
    else:
        assert count(model) == TRUNK + count(model.mesh_head)
    table, row = path.stem.split('_')
    if table == 'table01':
        assert round(count(model) / 1e6) == MILLIONS[row]


def expected_terms(name):
    """Loss terms, and which of them are zero."""
    terms = set(FIVE_TERMS)
    cascades = ('table03_cascade', 'table03_truth', 'table06', 'table11', 'figure04')
    if not name.startswith(cascades):
        terms.remove('loss_posenet_pose')
    if name == 'table01_smpl-parameters':
        terms = {'loss_meshnet_pose', 'loss_pose', 'loss_betas'}
    if name == 'table06_smpl-regress':
        terms = {'loss_pose', 'loss_betas', 'loss_joints'}
    if name == 'table11_without-pose-loss':
        terms.remove('loss_meshnet_pose')
    if name == 'figure04_without-both':
        terms -= {'loss_normal', 'loss_edge'}
    zero = {'without-normal': {'loss_normal'}, 'without-edge': {'loss_edge'}}
    return terms, zero.get(name.split('_')[1], set())


def tiny(model):
    """A config's model with 8 channels, for 64 x 64 px and 16 lixels."""
    model = model.to_dict()
    model['codec'].update(input_size=(64, 64), heatmap_size=(16, 16, 16))
    for part in ('backbone', 'mesh_backbone'):
        if model.get(part):
            model[part].pop('init_cfg')
            model[part].update(depth=18, stem_channels=8, base_channels=8)
    for part in ('pose_head', 'mesh_head'):
        head = model.get(part)
        if head and head['type'] == 'ParameterHead':
            head['hidden_units'] = 64
        elif head and head['type'] not in ('CoordinateHead', 'DenseLixelHead'):
            head['up_channels'] = 8
        if head and 'resolution' in head:  # a quarter of the picture has a quarter of the feature
            head['resolution'] = [lixels // 4 for lixels in head['resolution']]
    return model


@pytest.mark.parametrize('path', CONFIGS, ids=by_name)
def test_it_takes_a_step_and_predicts(path):
    register_all_modules()
    body = toy_body()
    torch.manual_seed(0)
    model = MODELS.build({**tiny(load_config(str(path)).model), 'body_model': body})
    model.init_weights()
    samples = [make_sample(body, i) for i in range(2)]
    images = torch.rand(2, 3, 64, 64)
    losses = model(images, samples, mode='loss')
    terms, zero = expected_terms(path.stem)
    assert set(losses) == terms
    assert {name for name, value in losses.items() if value.item() == 0} == zero
    sum(losses.values()).backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert is_second_stage(path) is (len(trained) < len(list(model.parameters())))
    assert all(p.grad is not None for p in trained)  # as distributed training needs
    with torch.no_grad():
        for parameter in trained:
            parameter -= 1e-3 * parameter.grad.sign()
    assert all(math.isfinite(v.item()) for v in model(images, samples, mode='loss').values())
    people = model.eval()(images, samples, mode='predict')
    assert {person.pred_instances.vertices_cam.shape for person in people} == {(1, 192, 3)}


@pytest.mark.parametrize(
    'name', ['table01_smpl-parameters', 'table03_truth-pose', 'figure04_without-edge']
)
def test_it_trains_and_tests_on_small_downloads(name, truths, tmp_path, monkeypatch):
    assert truths
    monkeypatch.setattr(Config, 'pretty_text', '')
    runner = build_runner(shrunk(ROOT / f'configs/ablations/{name}.py', tmp_path))
    runner.train()
    metrics = runner.test()
    assert 0 < metrics['joint/PA-MPJPE'] < metrics['joint/MPJPE'] < 2000


@pytest.mark.parametrize('path', CONFIGS, ids=by_name)
def test_its_header_names_the_row_and_the_commands(path):
    header = path.read_text().split('"""')[1]
    table = re.match(r'(Table|Fig\.) (\d+), \S', header)
    assert path.stem.startswith(f'{dict(Table="table").get(table[1], "figure")}{int(table[2]):02}_')
    assert re.search(r'MPJPE \d+\.\d|out of memory|shows meshes', header)
    commands = [shlex.split(x) for x in header.splitlines() if re.match(r'(bash|python) ', x)]
    config = f'configs/ablations/{path.name}'
    options = ['--cfg-options', 'load_from=FIRST_STAGE'] if is_second_stage(path) else []
    assert commands == [
        ['bash', 'tools/dist_train.sh', config, '3', *options],
        ['python', 'tools/test.py', config, 'CHECKPOINT', '--out', 'metrics.json'],
    ]
