"""Targets by gender against each person posed alone, and a network that trains on them."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from helpers_gendered import toy_bodies
from helpers_models import LIXELS, make_sample, tiny_model
from helpers_runs import save_toy_model

from i2l_plugin.body_models import BodyModel
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.models.gendered import build_targets_by_gender
from i2l_plugin.models.targets import build_targets

GENDERS = ('f', 'm', 'm', 'f', 'm')


@pytest.fixture(scope='module')
def bodies():
    return {gender: BodyModel(data) for gender, data in toy_bodies().items()}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Options of `build_body_model` by gender."""
    folder = tmp_path_factory.mktemp('models')
    return {
        gender: dict(kind='body', path=str(save_toy_model(folder / f'{gender}.npz', data=data)))
        for gender, data in toy_bodies().items()
    }


def people(bodies, genders=GENDERS):
    samples = []
    for seed, gender in enumerate(genders):
        sample = make_sample(bodies['n'], seed)
        if gender:
            sample.set_metainfo({'gender': gender})
        samples.append(sample)
    return samples


def test_everyone_is_posed_by_their_own_model_in_the_order_of_the_batch(bodies):
    codec = SoftArgmaxCodec((64, 64), (LIXELS,) * 3, 2000)
    samples = people(bodies)
    together = build_targets_by_gender(samples, bodies, codec)
    for i, (sample, gender) in enumerate(zip(samples, GENDERS, strict=True)):
        alone = build_targets([sample], bodies[gender], codec)
        for field in fields(alone):
            for part in ('lixel', 'weight'):
                expected = getattr(getattr(alone, field.name), part)[0]
                found = getattr(getattr(together, field.name), part)[i]
                torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
        neutral = build_targets([sample], bodies['n'], codec).vertices.lixel[0]
        off_mm = (together.vertices.lixel[i] - neutral)[:, 2].abs().max() * 2000 / LIXELS
        assert off_mm > 10  # what the neutral model would be trained on instead


@pytest.mark.parametrize('gender', [None, 'n'])
def test_people_without_a_model_are_refused(bodies, gender):
    samples = people(bodies, ('m', gender))
    both = {name: bodies[name] for name in 'mf'}
    with pytest.raises(ValueError, match=f'sample 1 has gender {gender!r}, expected one of .*m.*f'):
        build_targets_by_gender(samples, both, SoftArgmaxCodec((64, 64), (LIXELS,) * 3, 2000))


def gendered(files, **options):
    own = {gender: {'path': files[gender]['path']} for gender in 'mf'}
    cfg = dict(type='GenderedMeshEstimator', body_model=files['n'], truth_body_models=own)
    return tiny_model(**{**cfg, **options})


def test_losses_are_against_the_persons_own_body(bodies, files):
    model, samples = gendered(files), people(bodies)
    inputs = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (5, 3, 64, 64))).float()
    model.eval()
    with torch.no_grad():
        losses = model.loss(inputs, samples)
        vertices = model(inputs, samples, mode='tensor')['vertices_lixel']
    total = 0.0
    for i, (sample, gender) in enumerate(zip(samples, GENDERS, strict=True)):
        target = build_targets([sample], bodies[gender], model.codec).vertices
        difference = (vertices[i] - target.lixel[0]).abs() * target.weight[0]
        total += float(difference.mean()) / len(samples)
    assert float(losses['loss_vertex']) == pytest.approx(total, rel=1e-5)
    model.train()
    sum(gendered(files).loss(inputs, samples).values()).backward()


def test_checkpoints_are_those_of_the_plain_network(files):
    plain = tiny_model(body_model=files['n'])
    assert gendered(files).state_dict().keys() == plain.state_dict().keys()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'truth_body_models': {}}, 'truth_body_models: got no models'),
        ({'truth_body_models': {'m': {'path': 'open'}}}, "'m'.* another mesh .* 6890 and 192"),
        (
            {'heatmap_loss': dict(type='HeatmapLoss', sigma_lixel=1.0)},
            'heatmap_loss: .* set it to None',
        ),
    ],
)
def test_mistakes_are_named(files, options, message):
    with pytest.raises(ValueError, match=message):
        gendered(files, **options)
