"""What the README shows is true: its config trains, its files and pictures exist."""

import re

import pytest
from helpers_runs import ROOT, make_project, tiny_config

from i2l_plugin.apis.runner import build_runner

README = (ROOT / 'README.md').read_text()


def test_the_config_of_the_readme_trains(tmp_path):
    block = re.search(r'```python\n(_base_ = .*?)```', README, re.DOTALL).group(1)
    path = tmp_path / 'mine.py'
    path.write_text(block.replace("'configs/", f"'{ROOT}/configs/"))
    config = tiny_config(path, make_project(tmp_path / 'project'))
    assert config.model.backbone.depth == 18  # shrunk from the 34 of the block
    runner = build_runner(config)
    runner.train()
    metrics = runner.test()
    assert {'joint/MPJPE', 'vertex/MPVPE'} <= set(metrics)


@pytest.mark.parametrize('link', sorted(set(re.findall(r'\]\(([^)#]+)\)', README))))
def test_links_to_the_repository_exist(link):
    assert link.startswith('https://') or (ROOT / link).exists()


@pytest.mark.parametrize('path', sorted(set(re.findall(r'(?:tools|configs)/[\w./-]+\w', README))))
def test_named_tools_and_configs_exist(path):
    assert (ROOT / path).exists()
