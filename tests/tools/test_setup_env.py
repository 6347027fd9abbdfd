"""tools/setup_env.sh among fake executables: the fake interpreter notes every call; no network."""

import configparser
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FILES = ('tools/setup_env.sh', 'requirements/pins.txt', 'setup.cfg', 'pyproject.toml')
TOOLS = ['cat', 'cp', 'dirname', 'grep', 'ls', 'mkdir', 'mktemp', 'nproc', 'rm', 'sed']
TOOLS += ['sh', 'sha256sum', 'touch', 'wc']
TORCH, MMCV = 'torch==', 'onedl-mmcv=='

# $FAILS is the pattern of calls that fail. With $STALE_CACHE pip's cached mmcv lacks its operators,
# with $CPU_TORCH torchvision cannot be imported as it comes.
FAKE_PYTHON = """#!/bin/sh
echo "$* [FORCE_CUDA=$FORCE_CUDA CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES]" >> "$LOG"
[ -z "$FAILS" ] || case "$*" in $FAILS) exit 1 ;; esac
case "$*" in
    *implementation*) echo "${FAKE_VERSION:-cpython 3.11}" ;;
    *'"include"'*) echo "$INCLUDE" ;;
    *'"purelib"'*) echo "$INCLUDE" ;;
    '-m venv --clear '*)
        rm -rf "$4"; mkdir -p "$4/bin"; touch "$4/pyvenv.cfg"; cp "$FAKE" "$4/bin/python" ;;
    *torchvision) [ -z "$CPU_TORCH" ] || [ -e "$INCLUDE/torchvision_without_operators.pth" ] ;;
    *mmcv._ext) [ -z "$STALE_CACHE" ] || grep -q no-cache-dir "$LOG" ;;
esac
"""


class Project:
    """The files that set up reads, in a folder of their own, and a PATH of fakes."""

    def __init__(self, root: Path):
        self.root, self.bin = root / 'project', root / 'bin'
        for name in FILES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name, text in [('python3.11', FAKE_PYTHON), ('gcc', '#!/bin/sh'), ('g++', '#!/bin/sh')]:
            self.executable(self.bin / name, text)
        (root / 'Python.h').touch()
        self.log = root / 'log'
        self.environment = {
            'PATH': str(self.bin),
            'TMPDIR': str(root),
            'LOG': str(self.log),
            'INCLUDE': str(root),
            'FAKE': str(self.bin / 'python3.11'),
        }

    @staticmethod
    def executable(path: Path, text: str):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script='tools/setup_env.sh', cwd=None, **variables):
        self.log.write_text('')
        return subprocess.run(
            [shutil.which('bash'), script],
            cwd=cwd or self.root,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def set_up(self, **variables) -> list[str]:
        """Run, which must succeed, and return the calls of any interpreter."""
        done = self.run(**variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ''
        return self.log.read_text().splitlines()

    def stop(self, **variables) -> str:
        """Run, which must stop, and return the one line that it says."""
        done = self.run(**variables)
        assert done.returncode == 1
        assert done.stderr.startswith('setup: ')
        assert done.stderr.count('\n') == 1, done.stderr
        assert not list(self.root.glob('.venv/.setup-*'))
        return done.stderr


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def installs(calls, pin):
    return [call for call in calls if ' install ' in call and f' {pin}' in call]


@pytest.mark.parametrize(
    ('variables', 'says'),
    [
        (
            {'FAKE_VERSION': 'cpython 3.12'},
            'python3.11 is cpython 3.12, but the pinned stack needs',
        ),
        ({'FAKE_VERSION': 'pypy 3.11'}, 'is pypy 3.11, but'),
        ({'PYTHON': 'no-such-python'}, 'no-such-python does not run'),
        ({'FAILS': '*ensurepip*'}, 'apt install python3.11-venv'),
        ({'CC': 'no-such-cc -O1'}, "no compiler 'no-such-cc -O1'"),
        ({'CXX': 'no-such-c++'}, r"no compiler 'no-such-c\+\+'"),
        ({'INCLUDE': '/no/headers'}, 'no /no/headers/Python.h, needed to build mmcv'),
        ({'MMCV_CUDA': 'yes'}, "MMCV_CUDA is 'yes', expected 0 or 1"),
        ({'MMCV_CUDA': '1', 'CUDA_HOME': '/no/cuda'}, 'no nvcc, needed for MMCV_CUDA=1'),
        ({'FAILS': '-m venv *'}, 'could not make .venv'),
        ({'FAILS': '* --no-deps torch==*'}, 'torch==[0-9.]* did not install'),
        ({'FAILS': '* install torch==*'}, 'what torch==[0-9.]* needs did not install'),
        ({'FAILS': '* -r *'}, 'the pinned wheels did not install'),
        ({'FAILS': '*import torch'}, 'torch cannot be imported'),
        ({'FAILS': '* xtcocotools==*'}, 'xtcocotools==[0-9.]* did not build'),
        ({'FAILS': '* onedl-mmcv==*'}, 'onedl-mmcv==[0-9.]* did not build'),
        ({'FAILS': '*mmcv._ext'}, 'mmcv was built, but its operators cannot be imported'),
        ({'FAILS': '*-e .'}, 'the plugin did not install'),
        ({'FAILS': '*import torchvision'}, 'torchvision cannot be imported'),
        ({'FAILS': '*import mmpose.models*'}, 'the installed stack cannot be imported'),
    ],
)
def test_what_is_missing_is_said_in_one_line(project, variables, says):
    if 'no-such-python' in variables.values():
        project.executable(project.bin / 'no-such-python', '#!/bin/sh\nexit 1')
    assert re.search(says, project.stop(**variables))


@pytest.mark.parametrize(
    ('names', 'says'),
    [(['python3.11'], 'no python3 found'), (['gcc'], "'gcc'"), (['g++'], "no compiler 'g++'")],
)
def test_an_executable_that_is_not_there_is_named(project, names, says):
    for name in names:
        (project.bin / name).unlink()
    assert says in project.stop()


def test_a_second_call_does_nothing_and_at_once(project):
    assert installs(project.set_up(), MMCV)
    start = time.perf_counter()
    calls = project.set_up()
    assert time.perf_counter() - start < 3
    assert not [call for call in calls if ' install ' in call]


def test_it_may_be_called_from_any_folder(project):
    project.set_up()
    done = project.run(script='./setup_env.sh', cwd=project.root / 'tools')
    assert done.stdout.endswith('.venv is up to date\n')


def test_another_index_replaces_torch_and_what_is_built_on_it(project):
    project.set_up()
    calls = project.set_up(TORCH_INDEX_URL='https://index.invalid')
    index = '--index-url https://index.invalid '
    torch, dependencies = installs(calls, TORCH)
    assert f'install {index}--force-reinstall --no-deps torch==' in torch
    assert f'install {index}torch==' in dependencies
    (mmcv,) = installs(calls, MMCV)
    assert '--force-reinstall --no-cache-dir' in mmcv  # the cached wheel is of the other torch
    assert not installs(project.set_up(TORCH_INDEX_URL='https://index.invalid'), TORCH)
    assert '--force-reinstall' in installs(project.set_up(), TORCH)[0]


def test_an_interrupted_replacement_is_begun_again(project):
    project.set_up()
    for _ in range(2):
        project.stop(TORCH_INDEX_URL='https://index.invalid', FAILS='* onedl-mmcv==*')
        assert '--force-reinstall' in installs(project.log.read_text().splitlines(), TORCH)[0]
    assert '--force-reinstall' in installs(project.set_up(), TORCH)[0]  # and so is the way back


def test_another_pin_is_installed_beside_the_same_torch(project):
    project.set_up()
    with open(project.root / 'requirements/pins.txt', 'a') as file:
        file.write('another==1.0\n')
    calls = project.set_up()
    assert installs(calls, 'another==1.0')
    assert not any('--force-reinstall' in call for call in calls)


def test_mmcv_gets_cpu_operators_unless_asked_otherwise(project, tmp_path):
    (mmcv,) = installs(project.set_up(FORCE_CUDA='1', CUDA_VISIBLE_DEVICES='0'), MMCV)
    assert mmcv.endswith('[FORCE_CUDA=0 CUDA_VISIBLE_DEVICES=]')
    assert '--no-cache-dir' not in mmcv
    project.executable(tmp_path / 'cuda/bin/nvcc', '#!/bin/sh')
    cuda = {'MMCV_CUDA': '1', 'CUDA_HOME': str(tmp_path / 'cuda'), 'CUDA_VISIBLE_DEVICES': '0'}
    assert 'this torch is a CPU build' in project.stop(**cuda, FAILS='*torch.version.cuda')
    (mmcv,) = installs(project.set_up(**cuda), MMCV)
    assert mmcv.endswith('[FORCE_CUDA=1 CUDA_VISIBLE_DEVICES=0]')
    assert '--force-reinstall --no-cache-dir' in mmcv


def test_mmcv_without_operators_is_built_again_past_the_cache(project):
    first, second = installs(project.set_up(STALE_CACHE='1'), MMCV)
    assert '--no-cache-dir' not in first
    assert '--force-reinstall --no-cache-dir' in second
    assert all('--no-deps --no-build-isolation' in call for call in (first, second))


def test_torchvision_beside_a_cpu_torch_loses_its_operators_alone(project, tmp_path):
    line = tmp_path / 'torchvision_without_operators.pth'
    project.set_up(CPU_TORCH='1')
    modules = {}
    exec(line.read_text().replace('sys.modules', 'modules'), {'modules': modules})
    assert list(modules) == ['torchvision._meta_registrations']
    project.set_up(TORCH_INDEX_URL='https://index.invalid')
    assert not line.exists()


@pytest.mark.parametrize(
    'python',
    [
        'echo cpython 3.12',
        'case "$*" in *implementation*) echo cpython 3.11 ;; *) exit 1 ;; esac',
        'exit 1',
    ],
    ids=['another Python', 'no pip', 'broken'],
)
def test_a_partial_environment_is_made_anew(project, python):
    project.set_up()
    project.executable(project.root / '.venv/bin/python', f'#!/bin/sh\n{python}')
    calls = project.set_up()
    assert any(call.startswith('-m venv --clear .venv') for call in calls)
    assert '--force-reinstall' in installs(calls, TORCH)[0]
    assert not installs(project.set_up(), TORCH)


def test_a_folder_that_is_no_environment_is_left_alone(project):
    precious = project.root / 'mine/thesis.txt'
    precious.parent.mkdir()
    precious.touch()
    assert 'mine is not a virtual environment' in project.stop(VENV='mine')
    assert precious.exists()


def test_the_pins_lie_in_the_ranges_of_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    text = (ROOT / 'requirements/pins.txt').read_text()
    pins = dict(re.findall(r'^([\w.-]+)==(\S+)', text, flags=re.MULTILINE))
    for line in config['options']['install_requires'].split('\n'):
        if line and not line.startswith('#'):
            requirement = Requirement(line)
            assert requirement.specifier.contains(pins[requirement.name]), line
