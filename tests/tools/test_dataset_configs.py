"""Downloads -> documented converter commands -> every shipped config of a data set, shrunk."""

import math
import re

import pytest
import torch
from helpers_dataset_runs import DATASET_CONFIGS, config_named, members, shrunk
from helpers_runs import is_second_stage
from mmengine.config import Config
from mmengine.hooks import Hook
from mmpose.registry import DATASETS, MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.runner import build_runner, load_config

PAPER_TERMS = {
    *('loss_posenet_pose', 'loss_meshnet_pose', 'loss_vertex', 'loss_normal', 'loss_edge'),
}
RELEASE_TERMS = {
    *('loss_posenet_pose_fitted', 'loss_meshnet_pose_fitted', 'loss_vertex', 'loss_normal'),
    *('loss_posenet_pose_annotated', 'loss_meshnet_pose_annotated', 'loss_edge'),
}
PARAMETER_TERMS = {'loss_pose', 'loss_betas', 'loss_joints'}
RELEASE_PARAMETER_TERMS = {
    *('loss_pose', 'loss_betas', 'loss_joints_fitted', 'loss_joints_annotated'),
}


class Steps(Hook):
    """Remembers the losses of every step."""

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):  # noqa: ARG002
        self.losses.append({name: value.item() for name, value in outputs.items()})


def is_release(path):
    return '_release' in path.stem


def expected_terms(path):
    if is_second_stage(path):
        return RELEASE_PARAMETER_TERMS if is_release(path) else PARAMETER_TERMS
    return RELEASE_TERMS if is_release(path) else PAPER_TERMS


def expected_lines(config, truths):
    """{prefix of the result: (N, protocol)} of a config's test.

    Those of the parameters' mesh stand beside those of the mesh.
    """
    lines = expected_lines_of_meshes(config, truths)
    if config.model.type == 'MeshToParametersEstimator':
        lines.update({f'param_{name}': n for name, n in lines.items() if name != 'posenet'})
    return lines


def expected_lines_of_meshes(config, truths):
    kind = config.test_dataloader.dataset.type
    if kind == 'Human36MMeshDataset':
        chosen = truths['human36m'].selected((9, 11), [64], (4,))
        good = [i for i in chosen if truths['human36m'].people[i].fit == 'good']
        assert 0 < len(good) < len(chosen)
        return {'joint': (len(chosen), 'h36m/paper'), 'posenet': (len(good), 'h36m/paper')}
    if kind == 'PW3DMeshDataset':
        number = len(truths['pw3d'].kept('test'))
        both = dict.fromkeys(('joint', 'posenet'), (number, '3dpw/paper'))
        return {**both, 'smpl_joint': (number, '3dpw/smpl-joints')}
    if kind == 'SURREALMeshDataset':
        return dict.fromkeys(('vertex', 'joint', 'posenet'), (2, 'surreal/493'))
    number = len(truths['freihand']['eval'])
    return dict.fromkeys(('freihand', 'posenet'), (number, 'freihand/paper'))


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
def test_config_trains_two_iterations_and_tests(path, truths, tmp_path, monkeypatch):
    monkeypatch.setattr(Config, 'pretty_text', '')  # half of the time, nine times a run
    config = shrunk(path, tmp_path)
    runner = build_runner(config)
    steps = Steps()
    runner.register_hook(steps)
    runner.train()
    assert len(steps.losses) == 2
    for step in steps.losses:
        terms = {name for name in step if name.startswith('loss_')}
        assert terms == expected_terms(path)
        assert all(math.isfinite(step[name]) for name in terms)
    of_fits = 'loss_pose' if is_second_stage(path) else 'loss_vertex'
    assert steps.losses[0][of_fits] > 0  # somebody's fit is used
    assert list(tmp_path.glob('best_*.pth'))  # the number to watch is there

    metrics = runner.test()
    log = '\n'.join(file.read_text() for file in tmp_path.glob('*/*.log'))
    for prefix, (number, protocol) in expected_lines(config, truths).items():
        assert metrics[f'{prefix}/N'] == number
        belongs = (
            rf'N {number} \({re.escape(protocol)}.* \(test.*; boxes: annotated; root depth: ann'
        )
        assert re.search(f'{prefix}: .*, {belongs}', log), prefix


def without_epochs(path):
    return re.sub(r'3xb16-\d+e', '3xb16', path.stem)


def schedule_of(config):
    schedule = config.param_scheduler[0]
    return config.train_cfg.max_epochs, schedule.milestones, config.optim_wrapper.optimizer.lr


def test_recipes_of_the_release_differ_as_they_should():
    twins = [
        (one, other)
        for one in DATASET_CONFIGS
        for other in DATASET_CONFIGS
        if is_release(other)
        and without_epochs(other).replace('_release', '') == without_epochs(one)
    ]
    assert 2 * len(twins) == len(DATASET_CONFIGS)
    for twin in twins:
        paper, release = (load_config(str(path)) for path in twin)
        hand = paper.model.body_model.kind == 'hand'
        if is_second_stage(twin[0]):
            # the release's epochs and drops, all 5 later, from where its first stage ends
            assert schedule_of(paper) == (5, [10 + 5 - 12], 1e-4)
            assert schedule_of(release) == (
                (5, [21 + 5 - 25], 1e-5) if hand else (5, [10 + 5 - 13, 12 + 5 - 13], 1e-4)
            )
            forms = [twin.model.parameter_loss.get('pose_form') for twin in (paper, release)]
            assert forms == [None, 'axis_angle']
            release.optim_wrapper.optimizer.lr = 1e-4
        else:
            assert schedule_of(paper) == (12, [10], 1e-4)
            assert schedule_of(release) == ((25, [17, 21], 1e-4) if hand else (13, [10, 12], 1e-4))
        assert release.model.data_preprocessor.mean == [0, 0, 0]
        assert release.model.data_preprocessor.std == [255, 255, 255]
        for name in ('optim_wrapper', 'test_dataloader', 'val_dataloader'):
            assert paper[name] == release[name]
        for config, law in ((paper, 'truncated'), (release, 'clipped')):
            for dataset in members(config.train_dataloader.dataset):
                steps = {step.type: step for step in dataset.pipeline}
                assert steps['RandomScaleRotate'].law == law
                assert ('RandomMirror' in steps) is not hand


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
def test_every_body_model_of_a_config_is_the_same_file(path):
    config = load_config(str(path))
    own = config.model.body_model
    others = [config.visualizer.body_model]
    others += [metric.body_model for metric in (*config.val_evaluator, *config.test_evaluator)]
    assert {(other.kind, other.path) for other in others} == {(own.kind, own.path)}


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
def test_full_size_networks_have_the_papers_parameters(path):
    register_all_modules()
    config = load_config(str(path))
    config.model.body_model.path = 'open'
    for model in config.model.get('truth_body_models', {}).values():
        model.path = 'open'
    with torch.device('meta'):
        model = MODELS.build(config.model)
    number = sum(parameter.numel() for parameter in model.parameters())
    hand = config.model.body_model.kind == 'hand'
    trunks, stem = 2 * 23_508_032, 9_536  # facts, section 2
    expected = 44_107_071 + 811_200 + 44_690_718 + trunks - stem if hand else 141_628_949
    if is_second_stage(path):
        expected += parameter_regressor(*((21, 16) if hand else (29, 24)))
    assert number == expected


def parameter_regressor(joints, posed):
    """Facts, section 2: linear, BN, linear, BN, then pose and shape."""
    first, second = 3 * joints * 1024 + 3 * 1024, 1024 * 512 + 3 * 512
    return first + second + 513 * (6 * posed + 10)


def test_the_releases_heads_start_from_pytorchs_own_numbers():
    """Facts, section 2: Conv1d (and the z branch, which is one there) are left at the default."""
    register_all_modules()
    spreads = {}
    for end in ('12e_freihand-256x256', '25e_freihand-256x256_release'):
        config = load_config(str(config_named(end)))
        config.model.body_model.path = 'open'
        head = {**config.model.pose_head, 'in_channels': 64, 'num_points': 21}
        module = MODELS.build({**head, 'heatmap_size': (64, 64, 64)})
        module.init_weights()
        spreads[end] = {
            name: float(module.get_parameter(f'{name}.weight').detach().std())
            for name in ('upsample.0', 'conv_x', 'depth_block.0')
        }
    paper, release = spreads.values()
    assert paper == pytest.approx(dict.fromkeys(paper, 1e-3), rel=0.1)
    assert release['upsample.0'] == pytest.approx(1e-3, rel=0.1)
    # U(-1/sqrt(fan_in), 1/sqrt(fan_in)) has the deviation 1/sqrt(3 fan_in)
    assert release['conv_x'] == pytest.approx((3 * 256) ** -0.5, rel=0.1)
    assert release['depth_block.0'] == pytest.approx((3 * 64) ** -0.5, rel=0.1)


@pytest.mark.parametrize(
    'end', ['12e_h36m-muco-coco-256x256', '13e_h36m-muco-coco-256x256_release']
)
def test_3d_and_2d_sets_have_equal_shares(truths, end):  # noqa: ARG001 (works in their folder)
    dataset = DATASETS.build(load_config(str(config_named(end))).train_dataloader.dataset)
    kinds = [type(member).__name__ for member in dataset.datasets]
    assert kinds == ['Human36MMeshDataset', 'MuCo3DHPMeshDataset', 'COCOMeshDataset']
    human36m, muco, coco = (len(member) for member in dataset.datasets)
    assert len(dataset) == 2 * max(human36m + muco, coco)
    first, second = (
        {dataset._get_ori_dataset_idx(i)[0] for i in half}
        for half in (range(len(dataset) // 2), range(len(dataset) // 2, len(dataset)))
    )
    assert (first, second) == ({0, 1}, {2})


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
def test_config_opens_with_the_number_and_the_command(path):
    header = path.read_text().split('"""')[1]
    assert f'configs/{path.parent.name}/{path.name}' in header
    assert re.search(r'\d\d\.\d', header) or re.search(r'\b\d\.\d', header)
    assert ('--cfg-options load_from=FIRST_STAGE' in header) is is_second_stage(path)
