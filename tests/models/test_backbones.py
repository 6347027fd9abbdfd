"""The split ResNet against torchvision's own ResNet-50."""

import pytest
import torch
import torchvision
from mmpose.registry import MODELS

import i2l_plugin.models  # noqa: F401


@pytest.fixture(scope='module')
def torchvision_trunk():
    torch.manual_seed(0)
    return torchvision.models.resnet50(weights=None).eval()


def test_it_is_torchvisions_resnet50_v1_5_weights_included(torchvision_trunk):
    backbone = MODELS.build(dict(type='StagedResNet', depth=50))
    backbone.eval()
    missing, unexpected = backbone.load_state_dict(torchvision_trunk.state_dict(), strict=False)
    assert missing == []
    assert unexpected == ['fc.weight', 'fc.bias']
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    tv = torchvision_trunk
    with torch.no_grad():
        stem = tv.maxpool(tv.relu(tv.bn1(tv.conv1(image))))
        feature = tv.layer4(tv.layer3(tv.layer2(tv.layer1(stem))))
        torch.testing.assert_close(backbone.forward_stem(image), stem)
        torch.testing.assert_close(backbone.forward_stages(stem), feature)
        torch.testing.assert_close(backbone(image)[0], feature)


def test_the_trunk_of_meshnet_starts_at_the_first_residual_block(torchvision_trunk):
    trunk = MODELS.build(dict(type='StagedResNet', depth=50, with_stem=False))
    trunk.eval()
    missing, unexpected = trunk.load_state_dict(torchvision_trunk.state_dict(), strict=False)
    assert missing == []
    stems = {name.split('.')[0] for name in unexpected}
    assert stems == {'conv1', 'bn1', 'fc'}
    feature = torch.randn(1, 64, 16, 16, generator=torch.Generator().manual_seed(1))
    tv = torchvision_trunk
    with torch.no_grad():
        expected = tv.layer4(tv.layer3(tv.layer2(tv.layer1(feature))))
        torch.testing.assert_close(trunk(feature)[0], expected)


def test_parameter_counts_are_those_of_the_released_trunks():
    counts = [
        sum(p.numel() for p in MODELS.build(dict(type='StagedResNet', depth=50, **o)).parameters())
        for o in ({}, {'with_stem': False})
    ]
    assert counts == [23_508_032, 23_508_032 - 9_536]


@pytest.mark.parametrize('options', [{'deep_stem': True}, {'with_stem': False, 'frozen_stages': 1}])
def test_a_stem_that_cannot_be_cut_or_frozen_is_refused(options):
    with pytest.raises(ValueError, match='stem'):
        MODELS.build(dict(type='StagedResNet', depth=18, **options))
