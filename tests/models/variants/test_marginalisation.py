"""Mean, maximum and weighted sum over rows and columns (Table 9)."""

import pytest
import torch
from helpers_heads import build_head, some_feature

from i2l_plugin.models.variants.marginalisation import Marginalisation


def maps():
    return torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(('how', 'of'), [('mean', torch.mean), ('max', torch.max)])
def test_lines_are_the_mean_or_maximum_of_each_row_and_column(how, of):
    feature = maps()
    line_x, line_y = Marginalisation(how, 3, (6, 4))(feature)
    for b in range(2):
        for c in range(3):
            for x in range(6):
                assert line_x[b, c, x].item() == pytest.approx(of(feature[b, c, :, x]).item())
            for y in range(4):
                assert line_y[b, c, y].item() == pytest.approx(of(feature[b, c, y]).item())


def test_a_weighted_sum_of_equal_weights_is_the_mean():
    weighted = Marginalisation('weighted', 3, (6, 4))
    for layer, length in ((weighted.over_rows, 4), (weighted.over_columns, 6)):
        layer.bias.data.zero_()
        weights = torch.eye(3)[:, :, None, None] / length
        layer.weight.data = weights.expand_as(layer.weight).clone()
    for ours, mean in zip(
        weighted(maps()), Marginalisation('mean', 3, (6, 4))(maps()), strict=True
    ):
        torch.testing.assert_close(ours, mean)


def test_a_weighted_sum_is_one_number_of_each_row():
    weighted, feature = Marginalisation('weighted', 3, (6, 4)), maps()
    line_x, line_y = weighted(feature)
    over_rows, over_columns = weighted.over_rows, weighted.over_columns
    x, y = 5, 2
    expected = (over_rows.weight[1, :, :, 0] * feature[0, :, :, x]).sum() + over_rows.bias[1]
    torch.testing.assert_close(line_x[0, 1, x], expected)
    expected = (over_columns.weight[1, :, 0] * feature[0, :, y]).sum() + over_columns.bias[1]
    torch.testing.assert_close(line_y[0, 1, y], expected)


@pytest.mark.parametrize(('how', 'positions'), [('mean', 24), ('weighted', 24), ('max', 6)])
def test_how_many_positions_a_line_sends_gradients_to(how, positions):
    """The paper's reason for the mean: the maximum reaches one position of each column."""
    feature = maps().requires_grad_()
    line_x, _ = Marginalisation(how, 3, (6, 4))(feature)
    line_x[0, 0].sum().backward()
    assert (feature.grad[0].abs().sum(0) > 0).sum().item() == positions


@pytest.mark.parametrize('how', ['max', 'weighted'])
def test_the_lixel_head_uses_it_for_x_and_y_alone(how):
    options = dict(up_channels=4, num_upsample=2)
    mean = build_head('LixelHead', **options)
    head = build_head('LixelHead', **options, marginalise=how)
    head.load_state_dict(mean.state_dict(), strict=False)
    feature = some_feature()
    lines = head.marginalise(head.upsample(feature))
    heatmaps = head(feature)
    torch.testing.assert_close(heatmaps[0], mean.conv_x(lines[0]))
    torch.testing.assert_close(heatmaps[1], mean.conv_y(lines[1]))
    assert torch.equal(heatmaps[2], mean(feature)[2])
    assert not torch.allclose(heatmaps[0], mean(feature)[0])


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="'mean', 'max' or 'weighted', got 'median'"):
        Marginalisation('median', 3, (6, 4))
