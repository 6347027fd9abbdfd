"""Exported networks in ONNX Runtime against PyTorch, and what their files hold."""

import json

import numpy as np
import onnx
import pytest
import torch
from helpers_models import INPUT_PX, tiny_model, toy_body
from mmpose.structures import PoseDataSample
from onnx import numpy_helper

from i2l_plugin.apis import onnx_export, onnx_network
from i2l_plugin.apis.onnx_export import CropNetwork, export_onnx
from i2l_plugin.apis.onnx_network import OnnxNetwork


def sharpened(model):
    """Weights far enough from zero that every coordinate depends on the picture."""
    torch.manual_seed(0)
    for module in model.modules():
        if hasattr(module, 'weight') and module.weight.dim() > 1:
            torch.nn.init.kaiming_normal_(module.weight)
            if isinstance(module, torch.nn.Conv1d):  # heatmaps
                module.weight.data *= 10
    return model.eval()


@pytest.fixture(scope='module')
def model():
    return sharpened(tiny_model())


@pytest.fixture(scope='module')
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp('onnx') / 'new' / 'model.onnx'
    return path, export_onnx(model, path)


def crops(batch, seed=1):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, 4, 4, generator=generator)
    return 255 * torch.nn.functional.interpolate(coarse, (INPUT_PX, INPUT_PX))


@pytest.mark.parametrize('batch', [1, 2, 5])
def test_any_batch_gives_the_networks_lixels(model, exported, batch):
    path, difference = exported
    assert difference < 1e-3
    images = crops(batch)
    normalised = images / 255  # of the toy network: mean 0, std 255, RGB
    with torch.no_grad():
        expected = model.estimate(normalised)
    assert batch == 1 or expected.vertices.std(0).mean() > 0.01  # pictures matter
    estimate = OnnxNetwork(str(path)).estimate(images)
    for name in ('vertices', 'spread', 'joints'):
        got, want = getattr(estimate, name), getattr(expected, name)
        torch.testing.assert_close(got, want, atol=1e-3, rtol=0)


def test_a_network_for_bgr_takes_rgb_all_the_same(tmp_path):
    preprocessor = dict(
        type='PoseDataPreprocessor', mean=[10, 20, 30], std=[50, 60, 70], bgr_to_rgb=False
    )
    model = sharpened(tiny_model(data_preprocessor=preprocessor))
    export_onnx(model, tmp_path / 'bgr.onnx')
    images = crops(2)
    mean, std = torch.tensor([10.0, 20, 30]), torch.tensor([50.0, 60, 70])
    bgr = (images.flip(1) - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        expected = model.estimate(bgr).vertices
    got = OnnxNetwork(str(tmp_path / 'bgr.onnx')).estimate(images).vertices
    torch.testing.assert_close(got, expected, atol=1e-3, rtol=0)


def test_the_file_is_valid_and_holds_no_body_model(model, exported):
    network = onnx.load(str(exported[0]))
    onnx.checker.check_model(network, full_check=True)
    body = model.body_model
    weights = {tuple(p.shape) for p in model.parameters()} | {
        tuple(b.shape) for name, b in model.named_buffers() if not name.startswith('body_model')
    }
    for array in map(numpy_helper.to_array, network.graph.initializer):
        if array.size > 64:  # constants of the graph are a few numbers
            assert array.shape in weights
        assert body.num_vertices not in array.shape or array.shape in weights
    assert (body.num_joints, body.num_vertices) not in {
        tuple(i.dims) for i in network.graph.initializer
    }


def test_the_file_says_what_goes_in_and_out(exported):
    network = onnx.load(str(exported[0]))
    (entry,) = network.metadata_props
    description = json.loads(entry.value)
    assert description['input_size_px'] == [INPUT_PX, INPUT_PX]
    assert description['heatmap_size_lixel'] == [16, 16, 16]
    assert description['depth_range_mm'] == 2000
    assert description['kind'] == 'body'
    assert description['joint_names'][0] == 'Pelvis'
    assert len(description['joint_names']) == 29
    (image,) = network.graph.input
    assert image.type.tensor_type.shape.dim[0].dim_param  # any batch
    assert [output.name for output in network.graph.output] == list(onnx_network.OUTPUTS)


def test_meshnet_alone_has_no_joints_of_its_own(tmp_path):
    model = sharpened(tiny_model(cascade=False))
    export_onnx(model, tmp_path / 'mesh.onnx')
    network = OnnxNetwork(str(tmp_path / 'mesh.onnx'))
    assert network.estimate(crops(1)).joints is None
    assert network.description['joint_names'] == []


@pytest.mark.parametrize(
    'head',
    [
        dict(type='VoxelHead', up_channels=8, resolution=(4, 4, 4), num_upsample=1),
        dict(type='DepthMapHead', up_channels=8),
        dict(type='DenseLixelHead', hidden_channels=4),
        dict(type='EarlyLixelHead', up_channels=8),
    ],
    ids=lambda head: head['type'],
)
def test_every_representation_can_be_exported(tmp_path, head):
    model = tiny_model(cascade=False, mesh_head=head).eval()
    assert export_onnx(model, tmp_path / 'a.onnx') < 1e-3


def test_another_answer_is_refused_and_nothing_written(model, exported, tmp_path, monkeypatch):
    def other(self, images):
        estimate = OnnxNetwork.estimate(self, images)
        estimate.vertices[..., 0] += 0.01
        return estimate

    class Wrong(OnnxNetwork):
        estimate = other

    content = exported[0].read_bytes()
    monkeypatch.setattr(onnx_export, '_to_bytes', lambda *_: content)  # exporting takes seconds
    monkeypatch.setattr(onnx_export, 'OnnxNetwork', Wrong)
    with pytest.raises(ValueError, match=r'differ by 0\.0[01]\d* lixel'):
        export_onnx(model, tmp_path / 'a.onnx')
    assert not list(tmp_path.iterdir())


def test_a_network_that_says_nan_is_refused(tmp_path):
    model = sharpened(tiny_model(cascade=False))
    with torch.no_grad():
        model.mesh_head.conv_x.bias[3] = np.nan
    with pytest.raises(ValueError, match='differ by nan lixel'):
        export_onnx(model, tmp_path / 'a.onnx')


def test_names_and_missing_packages_are_told_at_once(model, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r'ends in \.onnx'):
        export_onnx(model, tmp_path / 'model.pth')
    monkeypatch.setitem(__import__('sys').modules, 'onnxscript', None)
    with pytest.raises(ValueError, match=r'onnxscript is not installed .*\[onnx\]'):
        export_onnx(model, tmp_path / 'model.onnx')


def test_other_files_are_refused_by_name(exported, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.onnx'):
        OnnxNetwork(str(tmp_path / 'none.onnx'))
    cut = tmp_path / 'cut.onnx'
    cut.write_bytes(exported[0].read_bytes()[:5000])
    with pytest.raises(ValueError, match=r'cut\.onnx is broken'):
        OnnxNetwork(str(cut))
    node = onnx.helper.make_node('Identity', ['x'], ['y'])
    info = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in 'xy']
    graph = onnx.helper.make_graph([node], 'g', info[:1], info[1:])
    opset = [onnx.helper.make_opsetid('', 18)]
    other = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.save(other, str(tmp_path / 'other.onnx'))
    with pytest.raises(ValueError, match='not of this plugin'):
        OnnxNetwork(str(tmp_path / 'other.onnx'))


def test_a_file_of_another_config_is_refused(exported):
    network = OnnxNetwork(str(exported[0]))
    network.check(tiny_model(seed=5), 'model.onnx')  # other weights are fine
    with pytest.raises(ValueError, match=r"model\.onnx: its kind is 'body', but 'hand'"):
        network.check(tiny_model(toy_body('hand')), 'model.onnx')


def test_normalisation_is_the_preprocessors(model):
    """The wrapper against the host's own preprocessor, which takes BGR bytes."""
    bgr = (crops(2).round()).to(torch.uint8)
    samples = [PoseDataSample() for _ in bgr]
    inputs = model.data_preprocessor(dict(inputs=list(bgr), data_samples=samples))['inputs']
    with torch.no_grad():
        expected = model.estimate(inputs).vertices
        got = CropNetwork(model)(bgr.flip(1).float())[0]
    torch.testing.assert_close(got, expected)


def test_networks_that_need_the_body_model_are_refused(tmp_path, model):
    class SecondStage(type(model)):
        pass

    second = tiny_model()
    second.__class__ = SecondStage
    with pytest.raises(ValueError, match='got a SecondStage, expected a CascadedMeshEstimator'):
        export_onnx(second, tmp_path / 'a.onnx')
    assert not list(tmp_path.iterdir())
