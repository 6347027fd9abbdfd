"""Training on fits of several genders: targets, losses, warnings, checkpoints, processes."""

import copy
import itertools
import os
import socket

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers_gendered import toy_bodies
from helpers_models import INPUT_PX, LIXELS, make_sample, tiny_model
from helpers_runs import save_toy_model
from mmengine.logging import MMLogger
from torch.nn.parallel import DistributedDataParallel

from i2l_plugin.body_models import BodyModel, BodyModelsByGender
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.rotation import mirror_pose
from i2l_plugin.models.targets import build_targets

MIXED = ('f', None, 'm', 'f', 'n', 'm')
PARTS = ('vertices', 'fitted_joints', 'annotated_joints', 'joints')


def models():
    return {gender: BodyModel(data) for gender, data in toy_bodies().items()}


@pytest.fixture(scope='module')
def bodies():
    return models()


@pytest.fixture
def codec():
    return SoftArgmaxCodec((INPUT_PX, INPUT_PX), (LIXELS,) * 3, 2000)


@pytest.fixture
def warnings(monkeypatch):
    texts = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', texts.append)
    return texts


def people(bodies, genders=MIXED):
    """One sample a person, the third mirrored, the fourth without a valid fit."""
    samples = []
    for seed, gender in enumerate(genders):
        changes = {}
        if seed == 2:
            labels = make_sample(bodies['n'], seed).gt_instance_labels
            pose = mirror_pose(labels.pose, bodies['n'].joint_set.mirror_order[:24])
            changes = dict(pose=pose.numpy(), betas=labels.betas.numpy(), mirrored=np.ones(1))
        if seed == 3:
            changes = dict(fit_valid=np.zeros(1))
        sample = make_sample(bodies['n'], seed, **changes)
        if gender:
            sample.set_metainfo({'gender': gender})
        samples.append(sample)
    return samples


def own(bodies, genders='mf'):
    return {gender: bodies[gender] for gender in genders}


def assert_same_targets(together, i, alone):
    for name in PARTS:
        found, expected = getattr(together, name), getattr(alone, name)
        torch.testing.assert_close(found.lixel[i], expected.lixel[0], atol=1e-4, rtol=0)
        assert torch.equal(found.weight[i], expected.weight[0])


def test_targets_are_those_of_each_sample_alone_in_any_order(bodies, codec):
    truth = BodyModelsByGender(bodies['n'], own(bodies))
    samples = people(bodies)
    alone = [
        build_targets([sample], bodies[gender or 'n'], codec)
        for sample, gender in zip(samples, MIXED, strict=True)
    ]
    for order in itertools.islice(itertools.permutations(range(6)), 0, None, 48):
        together = build_targets([samples[i] for i in order], truth, codec)
        for row, i in enumerate(order):
            assert_same_targets(together, row, alone[i])
    for i, gender in enumerate(MIXED):  # what the neutral model would have been trained on
        neutral = build_targets([samples[i]], bodies['n'], codec).vertices.lixel
        off_mm = (alone[i].vertices.lixel - neutral)[..., 2].abs().max() * 2000 / LIXELS
        assert (off_mm > 10) == (gender in ('m', 'f'))


def test_the_model_of_gender_n_poses_the_rest(bodies, codec):
    samples = people(bodies, ('m', None, 'n'))
    other = BodyModel(toy_bodies()['f'])
    together = build_targets(
        samples, BodyModelsByGender(bodies['m'], {'n': other, **own(bodies)}), codec
    )
    for i, model in enumerate((bodies['m'], other, other)):
        assert_same_targets(together, i, build_targets([samples[i]], model, codec))


def l1(prediction, target, i):
    return ((prediction[i] - target.lixel[0]).abs() * target.weight[0]).mean().item()


@pytest.mark.parametrize('heatmap_loss', [None, dict(type='HeatmapLoss', sigma_lixel=1.0)])
def test_losses_of_the_cascade_are_means_over_people_posed_alone(bodies, heatmap_loss):
    network = tiny_model(bodies['n'], truth_body_models=own(bodies), heatmap_loss=heatmap_loss)
    samples, inputs = people(bodies), images(len(MIXED))
    network.eval()
    with torch.no_grad():
        losses = network.loss(inputs, samples)
        out = network(inputs, None, mode='tensor')
    regressed = bodies['n'].joint_regressor @ out['vertices_lixel']  # the network's own regressor
    expected = dict.fromkeys(('loss_vertex', 'loss_posenet_pose', 'loss_meshnet_pose'), 0.0)
    for i, (sample, gender) in enumerate(zip(samples, MIXED, strict=True)):
        targets = build_targets([sample], bodies[gender or 'n'], network.codec)
        expected['loss_vertex'] += l1(out['vertices_lixel'], targets.vertices, i) / 6
        expected['loss_posenet_pose'] += l1(out['joints_lixel'], targets.joints, i) / 6
        expected['loss_meshnet_pose'] += l1(regressed, targets.joints, i) / 6
    assert {name: losses[name].item() for name in expected} == pytest.approx(expected, rel=1e-5)
    assert ('loss_posenet_heatmap' in losses) == (heatmap_loss is not None)


def images(batch):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=generator)


def test_genders_without_their_models_are_warned_of_once(bodies, warnings):
    network = tiny_model(bodies['n'])
    samples = people(bodies)
    for _ in range(2):
        network.loss(images(6), samples)
    assert len(warnings) == 1
    assert "gender ['f', 'm'], but one body_model poses" in warnings[0]
    assert tiny_model(bodies['n'], truth_body_models=own(bodies)).loss(images(6), samples)


def test_a_gender_without_a_model_is_named_by_its_sample(bodies):
    network = tiny_model(bodies['n'], truth_body_models=own(bodies, 'f'))
    with pytest.raises(ValueError, match=r"data sample 2 has gender 'm', .* add m=dict"):
        network.loss(images(6), people(bodies))


@pytest.fixture
def options(tmp_path):
    """Options by gender of `build_body_model`."""
    return {
        gender: dict(path=str(save_toy_model(tmp_path / f'{gender}.npz', data=data)))
        for gender, data in toy_bodies().items()
    }


def test_a_config_needs_only_what_differs_and_checkpoints_stay_the_same(bodies, options):
    base = dict(options['n'], kind='body')
    network = tiny_model(base, truth_body_models={gender: options[gender] for gender in 'mf'})
    assert network.state_dict().keys() == tiny_model(base).state_dict().keys()
    assert network.truth_models.body_model is network.body_model
    samples = people(bodies)
    found = build_targets(samples, network.truth_models, network.codec)
    expected = build_targets(samples, BodyModelsByGender(bodies['n'], own(bodies)), network.codec)
    torch.testing.assert_close(found.vertices.lixel, expected.vertices.lixel)
    moved = copy.deepcopy(network).to('meta')
    assert moved.truth_models.body_model is moved.body_model
    assert {buffer.device.type for buffer in moved.truth_models.buffers()} == {'meta'}


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({}, 'truth_body_models: got no models'),
        ({'x': {}}, "truth_body_models: got gender 'x'"),
        ({'m': {'path': 'open'}}, r"truth_body_models\['m'\] is a body of 6890 .* of 192"),
    ],
)
def test_wrong_models_are_refused_when_the_network_is_built(options, given, message):
    with pytest.raises(ValueError, match=message):
        tiny_model(dict(options['n'], kind='body'), truth_body_models=given)


HALVES = ((0, 1, 3), (2, 4, 5))  # of MIXED: no man in the first process, no woman in the second


def share_of(network, bodies, rows):
    samples = people(bodies)
    inputs = images(len(MIXED))[list(rows)]
    return sum(network(inputs, [samples[i] for i in rows], mode='loss').values())


def run_process(rank, port, folder):
    os.chdir(folder)
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    bodies = models()
    network = tiny_model(bodies['n'], seed=rank, truth_body_models=own(bodies)).eval()
    network = DistributedDataParallel(network)  # sends buffers as well, by default
    for _ in range(2):
        share_of(network, bodies, HALVES[rank]).backward()
    gradients = {name: p.grad for name, p in network.module.named_parameters()}
    torch.save([gradients, network.module.state_dict()], f'{rank}.pth')
    dist.destroy_process_group()


def test_two_processes_of_different_genders_give_the_gradients_of_one(bodies, tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(run_process, (port, str(tmp_path)), nprocs=2)
    network = tiny_model(bodies['n'], truth_body_models=own(bodies)).eval()
    for _ in range(2):
        (sum(share_of(network, bodies, rows) for rows in HALVES) / 2).backward()
    for rank in range(2):
        gradients, weights = torch.load(tmp_path / f'{rank}.pth')
        assert weights.keys() == network.state_dict().keys()
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-7)
