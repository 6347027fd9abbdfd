"""Commands in the documentation and at the top of configs parse; configs have their options."""

import argparse
import importlib
import inspect
import re
import shlex

import pytest
from helpers_dataset_runs import (
    DATASET_CONFIGS,
    DOCUMENT,
    ROOTNET_CONFIGS,
    bash_commands,
    load_tool,
)
from helpers_runs import ROOT
from mmpose.registry import DATASETS, METRICS
from synthetic_humans.cli import parse_arguments

from i2l_plugin.apis.runner import load_config

DOCUMENTS = [ROOT / 'README.md', DOCUMENT, ROOT / 'projects/synthetic_humans/README.md']
WITH_CONFIG = ('train', 'test', 'browse_dataset')


def header_commands(path):
    """Lines of a config's docstring that run something."""
    lines = path.read_text().split('"""')[1].splitlines()
    return [shlex.split(line) for line in lines if re.match(r'(python|bash) tools/', line)]


COMMANDS = sorted(
    {
        tuple(command)
        for path in (*DOCUMENTS, *DATASET_CONFIGS, *ROOTNET_CONFIGS)
        for command in (
            header_commands(path) if path.suffix == '.py' else bash_commands(path.read_text())
        )
        if command[0] in {'python', 'bash'}
    }
)


def parsed(name, arguments, monkeypatch):
    """What a tool makes of its command line; SystemExit if it cannot."""
    if (ROOT / f'tools/dataset_converters/{name}.py').is_file():
        return importlib.import_module(name).make_parser().parse_args(arguments)
    if name == 'make_synthetic':
        return parse_arguments(arguments)
    if name == 'benchmark':
        benchmark = importlib.import_module(f'benchmarks.{arguments[0]}')
        parser = argparse.ArgumentParser()
        benchmark.add_arguments(parser)
        return parser.parse_args(arguments[1:])
    monkeypatch.setattr('sys.argv', [name, *arguments])
    return load_tool(f'tools/{name}.py').parse_args()


def check_option(config, key):
    """A dotted option changes something that is in the config, or that its type takes."""
    *parents, last = key.split('.')
    part = config
    for name in parents:
        part = part[int(name)] if name.isdecimal() else part[name]
    if last not in part:
        registry = METRICS if 'evaluator' in key else DATASETS
        types = inspect.getmro(registry.get(part.type))
        assert any(last in inspect.signature(one).parameters for one in types), key


@pytest.mark.parametrize('command', COMMANDS, ids=lambda command: ' '.join(command)[:100])
def test_command_parses(command, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    program, script, *arguments = command
    if program == 'bash':
        assert script == 'tools/dist_train.sh'
        assert (ROOT / script).is_file()
        assert arguments[1].isdecimal()  # processes
        script, arguments = 'tools/train.py', [arguments[0], *arguments[2:]]
    name = re.fullmatch(r'tools/(?:dataset_converters/)?(\w+)\.py', script)[1]
    if arguments == ['--help']:
        assert (ROOT / script).is_file()
        return
    args = parsed(name, arguments, monkeypatch)
    if name in WITH_CONFIG:
        config = load_config(str(ROOT / args.config))
        for key in args.cfg_options or {}:
            check_option(config, key)


def test_there_are_commands_of_every_tool():
    scripts = {command[1] for command in COMMANDS}
    tools = {f'tools/{name}.py' for name in (*WITH_CONFIG, 'evaluate_freihand', 'make_synthetic')}
    converters = {
        f'tools/dataset_converters/{name}.py'
        for name in ('human36m', 'muco', 'coco', 'pw3d', 'freihand', 'surreal')
    }
    assert tools | converters | {'tools/dist_train.sh'} <= scripts


LINKS = [
    (path, link)
    for path in DOCUMENTS
    for link in sorted(set(re.findall(r'\]\(([^)\s]+)\)', path.read_text())))
    if '://' not in link
]


@pytest.mark.parametrize(('path', 'link'), LINKS, ids=lambda part: str(part).rsplit('/', 1)[-1])
def test_links_lead_somewhere(path, link):
    file, _, anchor = link.partition('#')
    target = path.parent / file if file else path
    assert target.exists()
    if anchor:
        headings = re.findall(r'^#+ (.*)$', target.read_text(), re.MULTILINE)
        assert anchor in {
            re.sub(r'[^\w\- ]', '', one).lower().replace(' ', '-') for one in headings
        }
