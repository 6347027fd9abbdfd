"""What runs the network: PyTorch with its options, and ONNX Runtime, against the host's own way."""

import copy

import numpy as np
import pytest
import torch
from helpers_inference import People, fields_of, noise_picture, tiny_network

from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.runtimes import OnnxRuntime, TorchRuntime
from i2l_plugin.apis.onnx_export import export_onnx

LIXEL_MM = 2000 / 16  # of the tiny network


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    """With weights that make every coordinate depend on the picture."""
    network = tiny_network(tmp_path_factory.mktemp('runtimes'))
    torch.manual_seed(0)
    for module in network.modules():
        if hasattr(module, 'weight') and module.weight.dim() > 1:
            torch.nn.init.kaiming_normal_(module.weight)
            if isinstance(module, torch.nn.Conv1d):  # heatmaps
                module.weight.data *= 10
    return network


@pytest.fixture(scope='module')
def onnx_file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp('runtimes') / 'model.onnx'
    export_onnx(network, path)
    return str(path)


def predicted(network, estimator=None):
    """Fields of three people, two at a time; by the host's ``test_step`` without an estimator."""
    people = People(network.body_model, n=3)
    inferencer = MeshInferencer(network)
    if estimator is not None:
        inferencer.estimate.estimator = estimator
    given = dict(camera=people.camera, bboxes=people.bbox_px, root_depths=people.root_depths_mm)
    (result,) = inferencer(noise_picture(), return_datasamples=True, batch_size=2, **given)
    return fields_of(result['predictions'][0].pred_instances)


def test_the_inferencer_runs_an_exported_network(network, onnx_file):
    people = People(network.body_model, n=3)
    given = dict(camera=people.camera, bboxes=people.bbox_px, root_depths=people.root_depths_mm)
    inferencer = MeshInferencer(network.cfg, onnx_file, backend='onnxruntime')
    assert isinstance(inferencer.estimate.estimator, OnnxRuntime)
    (result,) = inferencer(noise_picture(), return_datasamples=True, batch_size=2, **given)
    found = fields_of(result['predictions'][0].pred_instances)
    assert largest_difference(found, predicted(network)) < 1e-3 * LIXEL_MM


def test_the_inferencer_takes_the_options_of_pytorch(network):
    options = dict(precision='bfloat16', channels_last=True)
    inferencer = MeshInferencer(network, backend_options=options)
    assert inferencer.estimate.estimator.bfloat16
    network.to(memory_format=torch.contiguous_format)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(backend='tensorflow'), "backend: got 'tensorflow'"),
        (dict(backend='onnxruntime'), 'weights: ONNX Runtime needs a file'),
        (dict(backend='onnxruntime', weights='a.onnx', device='cuda'), "device: got 'cuda'"),
        (
            dict(backend='onnxruntime', weights='a.onnx', backend_options=dict(precision='x')),
            'backend_options: got',
        ),
        (dict(backend_options=dict(precision='float8')), "precision: got 'float8'"),
        (dict(backend='onnxruntime', weights='nowhere.onnx'), r'nowhere\.onnx: no such file'),
    ],
)
def test_backends_that_cannot_run_are_refused(network, options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        MeshInferencer(network.cfg, **{'device': 'cpu', **options})


def largest_difference(got, expected, name='vertices_cam'):
    return np.abs(got[name] - expected[name]).max()


def with_flip_test(network):
    """The same weights; the toy body is its own mirror image."""
    flipping = copy.copy(network)
    flipping.test_cfg = dict(flip_test=True)
    return flipping


@pytest.mark.parametrize('flip', [False, True])
def test_pytorch_without_options_is_the_hosts_way(network, flip):
    network = with_flip_test(network) if flip else network
    expected, got = predicted(network), predicted(network, TorchRuntime(network))
    assert expected.keys() == got.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)


def test_flipping_changes_the_answer(network):
    runtime = TorchRuntime(with_flip_test(network))
    assert largest_difference(predicted(network, runtime), predicted(network)) > 1


def test_channels_last_changes_nothing_but_rounding(network):
    expected = predicted(network)
    runtime = TorchRuntime(copy.deepcopy(network), channels_last=True)
    weight = runtime.model.mesh_backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert largest_difference(predicted(network, runtime), expected) < 0.01 * LIXEL_MM


def test_bfloat16_differs_by_its_eight_bits_and_keeps_cameras_exact(network):
    expected = predicted(network)
    seen = []
    convolution = network.mesh_backbone.layer1[0].conv1
    handle = convolution.register_forward_hook(lambda *hook: seen.append(hook[2].dtype))
    got = predicted(network, TorchRuntime(network, 'bfloat16'))
    handle.remove()
    assert set(seen) == {torch.bfloat16}
    difference = np.abs(got['vertices_cam'] - expected['vertices_cam'])
    assert 0 < difference.mean() < 0.2 * LIXEL_MM  # of sharp, random heatmaps
    np.testing.assert_array_equal(got['root_depth_mm'], expected['root_depth_mm'])


def test_compiling_is_torchs(network, monkeypatch):
    compile_as_ever = torch.compile
    compiled = []

    def without_a_compiler(function):  # which takes a minute
        compiled.append(function)
        return compile_as_ever(function, backend='aot_eager')

    monkeypatch.setattr(torch, 'compile', without_a_compiler)
    runtime = TorchRuntime(network, compile_network=True)
    assert compiled == [network.estimate]
    assert largest_difference(predicted(network, runtime), predicted(network)) < 1e-3 * LIXEL_MM


def test_a_network_that_cannot_be_compiled_is_said_in_one_line(network, monkeypatch):
    compile_as_ever = torch.compile

    def broken(*_):
        raise RuntimeError('no compiler found')

    monkeypatch.setattr(torch, 'compile', lambda f: compile_as_ever(f, backend=broken))
    with pytest.raises(ValueError, match=r'^compile_network .*no compiler found.*leave it out$'):
        predicted(network, TorchRuntime(network, compile_network=True))


@pytest.mark.parametrize('flip', [False, True])
def test_onnx_runtime_agrees_to_a_thousandth_of_a_lixel(network, onnx_file, flip):
    network = with_flip_test(network) if flip else network
    expected = predicted(network)
    weightless = copy.deepcopy(network)
    got = predicted(weightless, OnnxRuntime(weightless, onnx_file))
    assert expected.keys() == got.keys()
    assert largest_difference(got, expected) < 1e-3 * LIXEL_MM
    assert largest_difference(got, expected, 'posenet_joints_cam') < 1e-3 * LIXEL_MM
    assert sum(p.numel() for p in weightless.parameters()) == 0  # memory is given back


def test_another_precision_is_refused(network):
    with pytest.raises(ValueError, match=r"precision: got 'int8', expected one of"):
        TorchRuntime(network, 'int8')
