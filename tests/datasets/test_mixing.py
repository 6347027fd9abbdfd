"""Equal shares of groups: counts by hand, the same order on every rank, other rests every epoch."""

import pickle
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers_benchmarks import TEST_PIPELINE, save
from helpers_records import TRAIN_PIPELINE, save_toy_record
from helpers_toy_body import toy_body_data
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.dataset import sampler as host_sampler
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from i2l_plugin.body_models import BODY_29, COCO_18, H36M_17, BodyModel
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.datasets import EpochSeedHook, EqualShareDataset
from i2l_plugin.models.targets import build_targets

NAMES = {
    'h36m': ('Human36MMeshDataset', {'max_fit_error_mm': None}),
    'muco': ('MuCo3DHPMeshDataset', {'max_fit_error_mm': None}),
    'coco': ('COCOMeshDataset', {'max_fit_error_lixel': None}),
}
FIRST_ID = {'h36m': 1000, 'muco': 2000, 'coco': 3000}


def member(folder, key, n, pipeline=(), **options):
    """Config of a data set of n persons numbered from FIRST_ID."""
    name, limit = NAMES[key]
    root = folder / key
    if not root.exists():
        root.mkdir()
        save(root, name, n=n, sample_id=np.arange(n) + FIRST_ID[key], bbox_px=BOX.repeat(n, 0))
    cfg = dict(type=name, ann_file='record.npz', data_root=str(root), pipeline=list(pipeline))
    return {**cfg, **limit, **options}


BOX = np.array([[10.0, 20, 90, 99]])


def sample_ids(dataset):
    return [dataset.get_data_info(i)['sample_id'] for i in range(len(dataset))]


def mixed(folder, sizes=(('h36m', 5), ('muco', 3), ('coco', 3)), pipeline=(), **options):
    """The 3D sets against the last one."""
    *three_d, two_d = (member(folder, key, n, pipeline) for key, n in sizes)
    return DATASETS.build(dict(type='EqualShareDataset', datasets=[three_d, two_d], **options))


def test_the_shorter_group_is_repeated_to_the_length_of_the_longer(tmp_path):
    dataset = mixed(tmp_path)
    assert len(dataset) == 2 * (5 + 3)
    ids = sample_ids(dataset)
    assert ids[:8] == [1000, 1001, 1002, 1003, 1004, 2000, 2001, 2002]
    seen = Counter(ids[8:])  # 8 = 2 * 3 + 2
    assert sorted(seen) == [3000, 3001, 3002]
    assert sorted(seen.values()) == [2, 3, 3]


def test_the_first_group_may_be_the_shorter(tmp_path):
    dataset = mixed(tmp_path, sizes=(('h36m', 2), ('coco', 7)))
    seen = Counter(sample_ids(dataset))
    assert [seen[i] for i in range(3000, 3007)] == [1] * 7
    assert sorted(seen[i] for i in (1000, 1001)) == [3, 4]


def test_groups_of_one_length_or_one_group_are_taken_once(tmp_path):
    both = sample_ids(mixed(tmp_path, (('h36m', 4), ('coco', 4))))
    assert sorted(both) == [*range(1000, 1004), *range(3000, 3004)]
    only = EqualShareDataset([[member(tmp_path, 'h36m', 4)]])
    assert sample_ids(only) == [1000, 1001, 1002, 1003]


def test_over_many_epochs_everyone_of_the_rest_gets_a_turn(tmp_path):
    dataset = mixed(tmp_path, (('h36m', 8), ('coco', 5)))
    totals, rests = Counter(), set()
    for epoch in range(60):
        dataset.set_epoch(epoch)
        ids = sample_ids(dataset)
        assert set(Counter(ids[8:]).values()) <= {1, 2}
        rests.add(frozenset(ids[13:]))
        totals.update(ids[8:])
    assert len(rests) == 10  # all choices of 3 out of 5
    assert all(60 * 8 / 5 - 20 < totals[3000 + i] < 60 * 8 / 5 + 20 for i in range(5))


def test_what_an_index_means_depends_on_seed_and_epoch_alone(tmp_path):
    dataset, again = (mixed(tmp_path, (('h36m', 40), ('coco', 23))) for _ in range(2))
    np.random.rand(5)  # noqa: NPY002
    dataset.set_epoch(3)
    dataset.set_epoch(7)
    again.set_epoch(7)
    assert sample_ids(dataset) == sample_ids(again)
    other = mixed(tmp_path, (('h36m', 40), ('coco', 23)), seed=1)
    other.set_epoch(7)
    assert sample_ids(other) != sample_ids(dataset)
    assert sample_ids(mixed(tmp_path, (('h36m', 40), ('coco', 23)))) != sample_ids(dataset)


def hook_epoch(dataset, epoch, rank=0):
    loader = SimpleNamespace(dataset=dataset)
    runner = SimpleNamespace(seed=0, epoch=epoch, rank=rank, train_dataloader=loader)
    EpochSeedHook().before_train_epoch(runner)


@pytest.mark.parametrize('world_size', [2, 3])
def test_ranks_share_one_epoch_among_them(tmp_path, monkeypatch, world_size):
    taken = []
    for rank in range(world_size):
        monkeypatch.setattr(host_sampler, 'get_dist_info', lambda rank=rank: (rank, world_size))
        dataset = mixed(tmp_path, (('h36m', 9), ('coco', 5)))
        hook_epoch(dataset, 4, rank)
        sampler = DefaultSampler(dataset, shuffle=True, seed=11)
        sampler.set_epoch(4)
        taken.append([dataset.get_data_info(i)['sample_id'] for i in sampler])
    monkeypatch.setattr(host_sampler, 'get_dist_info', lambda: (0, 1))
    whole = DefaultSampler(dataset, shuffle=True, seed=11)
    whole.set_epoch(4)
    alone = [dataset.get_data_info(i)['sample_id'] for i in whole]
    assert len({len(part) for part in taken}) == 1
    interleaved = [part[i] for i in range(len(taken[0])) for part in taken]
    assert interleaved[: len(alone)] == alone
    assert Counter(i < 3000 for i in alone) == {True: 9, False: 9}


def test_workers_follow_the_epoch(tmp_path):
    dataset = mixed(tmp_path, (('h36m', 7), ('coco', 4)), TEST_PIPELINE)
    loader = DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=pseudo_collate)
    for epoch in (0, 1):
        hook_epoch(dataset, epoch)
        ids = [s.sample_id for batch in loader for s in batch['data_samples']]
        assert ids == sample_ids(dataset)
        spawned = pickle.loads(pickle.dumps(dataset))  # what a spawned worker gets
        assert ids == [spawned[i]['data_samples'].sample_id for i in range(len(spawned))]


def test_the_hook_leaves_other_data_sets_alone(tmp_path):
    save_toy_record(tmp_path)
    hook_epoch(DATASETS.build(dict(type='MeshDataset', ann_file=str(tmp_path / 'record.npz'))), 3)


def test_a_mixed_batch_collates_and_makes_targets(tmp_path):
    dataset = mixed(tmp_path, (('h36m', 2), ('coco', 2)), TRAIN_PIPELINE)
    batch = pseudo_collate([dataset[i] for i in range(4)])
    samples = batch['data_samples']
    assert torch.stack(batch['inputs']).shape == (4, 3, 256, 256)
    names = [sample.annotated_joint_names for sample in samples]
    assert names == [H36M_17.joint_names] * 2 + [COCO_18.joint_names] * 2
    targets = build_targets(samples, BodyModel(toy_body_data('body')), SoftArgmaxCodec())
    weight = targets.annotated_joints.weight
    assert weight.shape == (4, len(BODY_29), 3)
    ear, torso = BODY_29.index('L_Ear'), BODY_29.index('Torso')
    assert not weight[:2, ear].any()  # Human3.6M has no ears
    assert not weight[2:, torso].any()  # nor MSCOCO a torso


def test_indices_count_from_the_end_and_end(tmp_path):
    dataset = mixed(tmp_path)
    ids = sample_ids(dataset)
    assert dataset.get_data_info(-1)['sample_id'] == ids[-1]
    assert dataset.get_data_info(-16)['sample_id'] == ids[0]
    for index in (16, -17):
        with pytest.raises(IndexError, match=f'index {index} is out of range of 16'):
            dataset[index]


def test_meta_information_is_the_models_and_may_differ_in_name_and_protocol(tmp_path):
    meta = mixed(tmp_path).metainfo
    assert tuple(meta['keypoint_id2name'].values()) == BODY_29.joint_names


def test_annotations_are_opened_late_on_request(tmp_path):
    datasets = [member(tmp_path, 'h36m', 5, lazy_init=True), member(tmp_path, 'coco', 2)]
    dataset = EqualShareDataset(datasets, lazy_init=True)
    dataset.set_epoch(2)
    assert not dataset._fully_initialized
    assert len(dataset) == 10
    dataset.full_init()
    late = sample_ids(dataset)
    at_once = EqualShareDataset(datasets)
    at_once.set_epoch(2)
    assert late == sample_ids(at_once)


def test_objects_and_configs_may_be_mixed(tmp_path):
    built = DATASETS.build(member(tmp_path, 'h36m', 3))
    assert len(EqualShareDataset([built, member(tmp_path, 'coco', 2)])) == 6


def test_bodies_and_hands_cannot_be_mixed(tmp_path):
    save_toy_record(tmp_path, kind='hand')
    hands = dict(type='HandMeshDataset', ann_file='record.npz', data_root=str(tmp_path))
    with pytest.raises(ValueError, match=r"'HandMeshDataset': 21.* mix bodies with bodies"):
        EqualShareDataset([member(tmp_path, 'coco', 2), hands])


@pytest.mark.parametrize('groups', [[], [[]]])
def test_empty_groups_are_refused(groups):
    with pytest.raises(ValueError, match='expected at least one in each; remove empty groups'):
        EqualShareDataset(groups)
