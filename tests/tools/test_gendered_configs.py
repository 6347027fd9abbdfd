"""Shipped configs that train on both genders pose each target by the person's own model."""

import numpy as np
import pytest
from helpers_dataset_runs import DATASET_CONFIGS, config_named, members, shrunk
from helpers_gendered import toy_bodies
from mmpose.registry import DATASETS, MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.runner import load_config
from i2l_plugin.body_models import SMPL_24
from i2l_plugin.models.targets import build_targets

GENDERED = {'SURREALMeshDataset', 'PW3DMeshDataset'}


def gendered_training(config):
    return bool({one.type for one in members(config.train_dataloader.dataset)} & GENDERED)


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
def test_networks_train_by_gender_where_their_data_have_genders(path):
    config = load_config(str(path))
    models = config.model.get('truth_body_models')
    assert gendered_training(config) == (models is not None)
    if models is not None:
        assert {'m', 'f'} <= set(models)
        metrics = (*config.val_evaluator, *config.test_evaluator)
        assert all(metric.truth_body_models == models for metric in metrics)


@pytest.mark.parametrize('end', ['12e_surreal-256x256', '13e_surreal-256x256_release'])
def test_targets_of_surreal_are_the_rendered_people(truths, tmp_path, end):
    """From the clips' forward model, through the converter, augmentation and crop, to lixels."""
    register_all_modules()
    people, bodies = truths['surreal'].people, toy_bodies()
    config = shrunk(config_named(end), tmp_path)
    network = MODELS.build(config.model)
    options = config.train_dataloader.dataset
    options.pipeline = [step for step in options.pipeline if step.type != 'RandomMirror']
    dataset = DATASETS.build(options)
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    assert {sample.gender for sample in samples} == {'m', 'f'}
    targets = build_targets(samples, network.truth_models, network.codec)
    neutral = build_targets(samples, network.body_model, network.codec)
    scale_px = network.codec.input_size[0] / network.codec.heatmap_size[0]
    for i, sample in enumerate(samples):
        person = people[sample.id_clip, sample.id_frame]
        pixels = person.vertices_px @ sample.crop_from_image[:, :2].T + sample.crop_from_image[:, 2]
        found = targets.vertices.lixel[i].numpy()
        np.testing.assert_allclose(found[:, :2], pixels / scale_px, atol=2e-3)
        mesh_mm = person.vertices_cam_mm
        pelvis_mm = bodies[person.gender].j_regressor[SMPL_24.root] @ mesh_mm
        lixel_mm = network.codec.depth_range_mm / network.codec.heatmap_size[2]
        in_mm = (found[:, 2] - network.codec.heatmap_size[2] / 2) * lixel_mm
        np.testing.assert_allclose(in_mm, mesh_mm[:, 2] - pelvis_mm[2], atol=0.1)
        assert abs(found - neutral.vertices.lixel[i].numpy()).max() > 0.05
