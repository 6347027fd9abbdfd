"""Choosing samples of any data set, reproducibly, and the body models of their truth."""

import numpy as np
import pytest
import torch
from helpers_gendered import toy_bodies
from helpers_records import TRAIN_PIPELINE, save_toy_record
from helpers_runs import save_toy_model
from mmengine.config import Config

from i2l_plugin.apis.dataset_samples import DatasetSamples, truth_models
from i2l_plugin.datasets import MeshDataset


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two records of 4 and 3 people; the second knows the errors of its fits."""
    folder = tmp_path_factory.mktemp('records')
    errors = {'fit_error_mm': np.float32([5, 30, np.nan])}
    for name, n, changes in (('one', 4, {}), ('two', 3, errors)):
        (folder / name).mkdir()
        save_toy_record(folder / name, changes, n=n, seed=n)
    return folder


def member(folder, name, pipeline=TRAIN_PIPELINE):
    return dict(
        type='MeshDataset', data_root=str(folder / name), ann_file='record.npz', pipeline=pipeline
    )


def samples_of(dataset, num=99, seed=0, split='train'):
    return DatasetSamples(Config({f'{split}_dataloader': dict(dataset=dataset)}), split, num, seed)


def wrapped(folder, kind):
    one, two = (member(folder, name) for name in ('one', 'two'))
    if kind == 'ConcatDataset':
        return dict(type=kind, datasets=[one, two])
    if kind == 'RepeatDataset in ConcatDataset':
        repeated = dict(type='RepeatDataset', times=1, dataset=two)
        return dict(type='ConcatDataset', datasets=[one, repeated])
    if kind == 'EqualShareDataset':
        return dict(type=kind, datasets=[[one], two])
    parts = [member(folder, name, []) for name in ('one', 'two')]
    metainfo = MeshDataset.METAINFO
    return dict(type='CombinedDataset', metainfo=metainfo, datasets=parts, pipeline=TRAIN_PIPELINE)


@pytest.mark.parametrize(
    'kind',
    ['ConcatDataset', 'RepeatDataset in ConcatDataset', 'EqualShareDataset', 'CombinedDataset'],
)
def test_samples_of_mixed_data_sets_say_where_they_come_from(folder, kind):
    samples = list(samples_of(wrapped(folder, kind)))
    sources = [sample.source for sample in samples]
    num_second = 4 if kind == 'EqualShareDataset' else 3
    assert (
        sources == ['MeshDataset one/record.npz'] * 4 + ['MeshDataset two/record.npz'] * num_second
    )
    errors = {100: 5.0, 101: 30.0, 102: np.nan}
    for sample in samples[:4]:
        assert sample.extra == {}
    for sample in samples[4:]:
        expected = errors[sample.data_sample.metainfo['sample_id']]
        np.testing.assert_equal(sample.extra, {'fit_error_mm': expected})


def test_a_seed_fixes_choice_and_augmentation_whatever_else_is_drawn(folder):
    dataset = member(folder, 'one')
    first = {s.index: s for s in samples_of(dataset)}
    np.random.rand(7)  # noqa: NPY002
    few = list(samples_of(dataset, num=2))
    assert len(few) == 2
    for sample in few:
        assert torch.equal(sample.inputs, first[sample.index].inputs)
        crop = sample.data_sample.metainfo['crop_from_image']
        np.testing.assert_array_equal(crop, first[sample.index].data_sample.crop_from_image)
    other = list(samples_of(dataset, seed=1))
    assert [s.index for s in other] == sorted(first)
    assert not all(torch.equal(s.inputs, first[s.index].inputs) for s in other)
    chosen = {tuple(samples_of(dataset, num=2, seed=seed).indices) for seed in range(9)}
    assert len(chosen) > 2


def test_mistakes_are_named(folder):
    dataset = member(folder, 'one')
    with pytest.raises(ValueError, match='num: got 0'):
        samples_of(dataset, num=0)
    with pytest.raises(ValueError, match=r'no val_dataloader\.dataset; choose another'):
        DatasetSamples(Config({'val_dataloader': None}), 'val', 1)
    with pytest.raises(ValueError, match="split: got 'dev'"):
        samples_of(dataset, split='dev')
    with pytest.raises(ValueError, match='end it with PackMeshInputs'):
        list(samples_of(member(folder, 'one', TRAIN_PIPELINE[:2])))
    host = [dict(type='LoadImage'), dict(type='PackPoseInputs', meta_keys=())]
    with pytest.raises(ValueError, match="not by the host's PackPoseInputs"):
        list(samples_of(member(folder, 'one', host)))
    with pytest.raises(FileNotFoundError, match=r'nowhere.*record\.npz'):
        samples_of(member(folder, 'nowhere'))


def test_truth_is_posed_by_the_models_of_the_network_or_of_the_metrics(tmp_path):
    path = str(save_toy_model(tmp_path / 'toy.npz'))
    female = str(save_toy_model(tmp_path / 'female.npz', data=toy_bodies()['f']))
    toy = dict(kind='body', path=path)
    gendered = dict(type='X', body_model=toy, truth_body_models=dict(f=dict(path=female)))
    config = Config(
        dict(
            model=dict(body_model=dict(kind='body')),
            val_evaluator=dict(type='X', body_model=toy),
            test_evaluator=[dict(type='DumpResults'), gendered],
        )
    )
    people = {'gender': 'f'}, {'gender': 'm'}, {'sample_id': 4}

    training = truth_models(config, 'train')
    assert {training.of(person).num_vertices for person in people} == {6890}
    assert truth_models(config, 'val').of({}).num_vertices == 192
    test = truth_models(config, 'test')
    assert test.of(people[0]) is not test.body_model is test.of(people[2])
    with pytest.raises(ValueError, match=r"has gender 'm', .* no model"):
        test.of(people[1])
    config.model = dict(body_model=toy, truth_body_models=gendered['truth_body_models'])
    training = truth_models(config, 'train')
    assert training.of(people[0]) is not training.body_model is training.of(people[2])
    template = torch.from_numpy(toy_bodies()['f'].v_template).float()
    torch.testing.assert_close(training.of(people[0]).v_template, template)
    with pytest.raises(ValueError, match=r'no model\.body_model'):
        truth_models(Config(dict(model=dict(type='X'))), 'test')
