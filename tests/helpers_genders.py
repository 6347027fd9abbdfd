"""Data samples of people of both genders, and the toy bodies that pose them."""

from dataclasses import replace

from helpers_samples import noisy_meshes, predict, toy_body, toy_samples
from helpers_toy_body import toy_body_data
from mmengine.evaluator import Evaluator

from i2l_plugin.body_models import H36M_17, BodyModel

NEUTRAL = toy_body()


def gender_body(seed, **changes):
    """The toy body with shape and pose directions of its own."""
    return BodyModel(replace(toy_body_data(seed=seed), **changes)).double()


MALE, FEMALE = gender_body(1), gender_body(2)
GENDERED = dict(m=MALE, f=FEMALE)
GENDERS = ('f', 'm', 'f', 'f', 'm')


def samples_of(protocol, genders=GENDERS, joint_set=H36M_17):
    samples = toy_samples(NEUTRAL, n=len(genders), joint_set=joint_set)
    for sample, gender in zip(samples, genders, strict=True):
        metainfo = {'protocol': protocol, 'gender': gender}
        sample.set_metainfo({name: one for name, one in metainfo.items() if one is not None})
    return predict(samples, noisy_meshes(NEUTRAL, samples))


def true_meshes(samples, models=GENDERED):
    """Each sample posed alone by the model of its gender, (V, 3) mm."""
    meshes = []
    for sample in samples:
        labels = sample.gt_instance_labels
        model = models[sample.gender]
        meshes.append(model.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)[0][0].numpy())
    return meshes


def evaluate(samples, *metrics, batch_size=3):
    evaluator = Evaluator(list(metrics))
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples))
