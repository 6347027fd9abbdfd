"""Two gloo processes give the numbers of one, with padding and left-out samples."""

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers_samples import noisy_meshes, predict, toy_body, toy_samples
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator

from i2l_plugin.datasets.person_results import read_person_results
from i2l_plugin.evaluation import (
    FreiHANDScore,
    FScore,
    MeshJointError,
    MeshVertexError,
    RootPositionError,
    RootResultFile,
)

FIT_VALID = [True, False, True, False, True, True, False]  # odd: the sampler pads by sample 0


def evaluate_share(collect_device):
    """Results of the samples that the host's sampler gives to this process, in batches of 2."""
    body = toy_body()
    samples = toy_samples(body, n=len(FIT_VALID), fit_valid=FIT_VALID)
    predict(samples, noisy_meshes(body, samples))
    for i, sample in enumerate(samples):
        sample.pred_instances.root_cam = np.array([[0.0, 10 * i, 3000 + i]])
        sample.set_metainfo(dict(image_id=i, crop_from_image=np.eye(2, 3), input_size=(64, 64)))
    options = dict(collect_device=collect_device, outfile_prefix='scores')
    evaluator = Evaluator(
        [
            MeshJointError(body, 'h36m_17', **options),
            MeshVertexError(body, **options),
            FScore(body, **options),
            RootPositionError(body, **options),
            RootResultFile('roots.json', collect_device=collect_device),
        ]
    )
    hand = toy_body('hand')
    hands = toy_samples(hand, n=len(FIT_VALID), fit_valid=FIT_VALID)
    for i, sample in enumerate(predict(hands, noisy_meshes(hand, hands, noise_mm=4))):
        sample.set_metainfo({'sample_id': i})
    of_hands = Evaluator(FreiHANDScore(hand, protocol=None, submission_dir='submission', **options))
    share = list(DefaultSampler(samples, shuffle=False))
    for start in range(0, len(share), 2):
        evaluator.process([samples[i] for i in share[start : start + 2]])
        of_hands.process([hands[i] for i in share[start : start + 2]])
    return {**evaluator.evaluate(len(samples)), **of_hands.evaluate(len(hands))}


def run_process(rank, port, folder):
    os.chdir(folder)
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    for collect_device in ('cpu', 'gpu'):  # by files, by gathered objects
        results = evaluate_share(collect_device)
        Path(f'{collect_device}_{rank}.json').write_text(json.dumps(results))
    dist.destroy_process_group()


def test_two_processes_give_the_numbers_of_one(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(run_process, (port, str(tmp_path)), nprocs=2)
    two = [json.loads(path.read_text()) for path in tmp_path.glob('?pu_?.json')]
    scores = json.loads((tmp_path / 'scores.joint.json').read_text())['samples']
    submission = (tmp_path / 'submission' / 'pred.zip').read_bytes()
    roots = read_person_results(tmp_path / 'roots.json')
    assert roots.ann_id.tolist() == list(range(100, 107))
    assert roots.root_depth.tolist() == list(range(3000, 3007))

    monkeypatch.chdir(tmp_path)
    one = evaluate_share('cpu')
    assert one['joint/N'] == one['vertex/N'] == one['f_score/N'] == one['freihand/N'] == 4
    assert (one['root/N'], one['root_file/N']) == (4, 7)
    assert (tmp_path / 'submission' / 'pred.zip').read_bytes() == submission
    assert two == [pytest.approx(one, rel=1e-12)] * 4
    assert [record['sample_id'] for record in scores] == list(range(100, 107))
    assert ['MPJPE' in record for record in scores] == FIT_VALID
