"""The page's command: its options, what is said to wrong ones, and `make app`; without Gradio."""

import configparser
import os
import re
import shlex
import socket
import subprocess
import sys

import pytest
from helpers_app import tiny_engine
from helpers_runs import ROOT
from packaging.requirements import Requirement

from i2l_plugin.apis.app import cli
from i2l_plugin.apis.app.gate import is_local
from i2l_plugin.apis.app.limits import Limits
from i2l_plugin.apis.app.page import import_gradio
from i2l_plugin.apis.app.server import address, listen

NETWORK = ['--config', 'a.py', '--checkpoint', 'a.pth']


def make(*arguments):
    """Run make in the project, as from a shell even where these tests were started by make."""
    return subprocess.run(
        ['make', *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith('MAKE')},
        capture_output=True,
        text=True,
        check=False,
    )


def started(*arguments):
    """The options with which `make app` starts the page, and all that it does before."""
    lines = make('-n', 'app', *arguments).stdout.splitlines()
    words = shlex.split(lines[-1])
    assert words[2] == 'tools/app.py'
    return cli.parse_args(words[3:]), lines[:-1]


def test_the_page_is_for_this_computer_unless_asked():
    args = cli.parse_args(NETWORK)
    assert (args.host, args.port) == ('127.0.0.1', 7860)
    assert is_local(args.host)
    assert cli.make_limits(args) == Limits()


def test_every_limit_is_an_option():
    options = '--max-mb 1 --max-megapixels 2 --max-seconds 3 --max-frames 4 --max-people 5'
    options += ' --max-waiting 6 --max-store-mb 7 --keep-minutes 8'
    args = cli.parse_args([*NETWORK, *options.split()])
    assert cli.make_limits(args) == Limits(1, 2, 3, 4, 5, 6, max_store_mb=7, keep_minutes=8)
    with pytest.raises(ValueError, match='max_people: got 0'):
        cli.make_limits(cli.parse_args([*NETWORK, '--max-people', '0']))


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        ('127.0.0.1', True),
        ('127.0.0.5', True),
        ('::1', True),
        ('localhost', True),
        ('0.0.0.0', False),
        ('::', False),
        ('192.168.1.2', False),
        ('example.org', False),
    ],
)
def test_which_interfaces_are_local(host, expected):
    assert is_local(host) == expected


def test_addresses_for_a_browser():
    assert address('127.0.0.1', 80) == 'http://127.0.0.1:80'
    assert address('0.0.0.0', 7860) == 'http://localhost:7860'
    assert address('::1', 7860) == 'http://[::1]:7860'


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(monkeypatch):
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr('sys.argv', ['app.py', *NETWORK, '--port', str(port)])
        with pytest.raises(SystemExit) as error:
            cli.main()
    assert f'cannot listen on 127.0.0.1, port {port}: Address already in use' in str(error.value)
    with pytest.raises(OSError, match=r'cannot listen on 203\.0\.113\.1, port 0: '):
        listen('203.0.113.1', 0)


def test_missing_networks_are_one_line(monkeypatch):
    monkeypatch.setattr('sys.argv', ['app.py', *NETWORK, '--port', '0'])
    with pytest.raises(SystemExit, match=r'error: .*a\.py'):
        cli.main()


def test_without_gradio_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(ValueError, match=r'needs Gradio .*`make app`.*i2l_plugin\[app\]'):
        import_gradio(tmp_path)


def test_the_command_leaves_no_folder_where_gradio_is_missing(tmp_path, monkeypatch):
    inferencer = tiny_engine(tmp_path).inferencer
    folders = tmp_path / 'folders'
    folders.mkdir()
    monkeypatch.setitem(sys.modules, 'gradio', None)
    monkeypatch.setattr('tempfile.tempdir', str(folders))
    monkeypatch.setattr(
        'i2l_plugin.apis.inference.mesh_inferencer.MeshInferencer', lambda *_, **__: inferencer
    )
    with pytest.raises(ValueError, match='needs Gradio'):
        cli.run(cli.parse_args([*NETWORK, '--port', '0']))
    assert not list(folders.iterdir())


def test_make_app_asks_for_the_demo_first(tmp_path):
    result = make('app', f'DEMO={tmp_path}')
    assert result.returncode
    assert result.stdout == ''  # nothing was set up for it
    said, _ = result.stderr.split('\n', 1)
    assert said == (
        f'app: there is no {tmp_path}/checkpoint.pth; run `make demo` first, or give networks of '
        'your own: make app CONFIG=... CHECKPOINT=...'
    )


def test_make_app_takes_the_networks_that_the_demo_has_made(tmp_path):
    (tmp_path / 'checkpoint.pth').touch()
    args, before = started(f'DEMO={tmp_path}', f'VENV={tmp_path}/new')
    assert args.checkpoint == f'{tmp_path}/checkpoint.pth'
    assert args.det_config is args.root_config is None
    assert any('requirements/app.txt' in line for line in before)
    for name in ('rootnet.pth', 'detector.pth'):
        (tmp_path / name).touch()
    args, _ = started(f'DEMO={tmp_path}')
    assert args.root_checkpoint == f'{tmp_path}/rootnet.pth'
    assert args.det_checkpoint == f'{tmp_path}/detector.pth'
    for config in (args.config, args.root_config, args.det_config):
        assert (ROOT / config).is_file()


def test_make_app_takes_other_networks_and_options(tmp_path):
    for name in ('checkpoint.pth', 'rootnet.pth', 'detector.pth', 'mine.pth'):
        (tmp_path / name).touch()
    mine = f'{tmp_path}/mine.pth'
    args, _ = started(
        f'DEMO={tmp_path}', 'CONFIG=mine.py', f'CHECKPOINT={mine}', 'ARGS=--port 8000 --fov 60'
    )
    assert (args.config, args.checkpoint) == ('mine.py', mine)
    assert args.det_config is args.root_config is None  # of other people
    assert (args.port, args.fov) == (8000, 60)


def pins(name):
    """Versions by package of a requirements file."""
    text = (ROOT / f'requirements/{name}.txt').read_text()
    return {
        re.sub(r'[-_.]+', '-', package.lower()): version
        for package, version in re.findall(r'^([\w.-]+)==(\S+)$', text, re.MULTILINE)
    }


def test_the_pinned_gradio_is_in_the_range_of_the_extra():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    (extra,) = setup['options.extras_require']['app'].split()
    assert Requirement(extra).specifier.contains(pins('app')['gradio'])


def test_the_pages_packages_do_not_contradict_each_other_or_the_rest():
    app, browser, rest = pins('app'), pins('browser'), pins('pins')
    assert len(app) > 30
    assert all(app[name] == browser[name] for name in app.keys() & browser.keys())
    assert app.keys() & rest.keys() == {'pillow'}  # Gradio takes no newer one
    assert not browser.keys() & rest.keys()
