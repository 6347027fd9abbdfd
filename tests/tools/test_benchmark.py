"""The benchmark tool: its table, its exit status, and its answers to mistakes."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.benchmarks import _ratios
from tools.benchmarks._ratios import Ratio, count, print_ratios, seconds_of_both

ROOT = Path(__file__).parents[2]


def benchmark(*arguments):
    command = [sys.executable, str(ROOT / 'tools' / 'benchmark.py'), *arguments]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_alignment_compares_both_ways_in_one_run():
    sizes = ['--poses', '20', '--bodies', '1', '--hands', '2', '--repeats', '1']
    done = benchmark('alignment', *sizes)
    rows = [line for line in done.stdout.splitlines() if ' x ' in line]
    assert [row.split()[0] for row in rows] == [
        'align',
        'PA',
        'align',
        'PA',
        'align',
        'PA',
        'F-score',
    ]
    differences = [float(row.split('   ')[-1].split()[0]) for row in rows]
    assert max(differences) < 1e-6
    assert done.returncode == ('TOO SLOW' in done.stdout)
    assert done.stderr == ''


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'required: BENCHMARK'),
        (['algnment'], "invalid choice: 'algnment'"),
        (['alignment', '--poses', 'many'], "at least 1, got 'many'"),
    ],
)
def test_mistakes_get_one_line_and_no_traceback(arguments, message):
    done = benchmark(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('text', ['0', '-3', '2.5', ''])
def test_counts_are_whole_and_positive(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"got '{text}'"):
        count(text)


def test_table_shows_ratios_and_fails_on_a_broken_promise(capsys):
    kept = Ratio('kept', plain_s=0.5, fast_s=0.05, difference='0 mm', promised=8)
    free = Ratio('free', plain_s=0.5, fast_s=1.0, difference='0 mm')
    assert print_ratios([kept, free]) == 0
    assert print_ratios([Ratio('broken', 0.5, 0.1, '0 mm', promised=8), kept]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ['kept', '500.0', '50.0', '10.0x', '8x', '0', 'mm']
    assert lines[2].split() == ['free', '500.0', '1000.0', '0.5x', '0', 'mm']
    assert lines[4].endswith('TOO SLOW')
    assert 'TOO SLOW' not in lines[1] + lines[2] + lines[5]


def test_seconds_are_the_least_of_the_repeats(monkeypatch):
    clock = [0.0]

    def takes(*seconds):
        pauses = iter(seconds)
        return lambda: clock.__setitem__(0, clock[0] + next(pauses))

    monkeypatch.setattr(_ratios, 'time', SimpleNamespace(perf_counter=lambda: clock[0]))
    both = seconds_of_both(takes(5.0, 3.0, 4.0), takes(0.25, 2.0, 0.5), repeats=3)
    assert both == (3.0, 0.25)


def test_pose_to_feature_compares_both_ways_in_one_run():
    sizes = ['--batch', '1', '--joints', '2', '--lixels', '8', '--repeats', '1']
    done = benchmark('pose_to_feature', *sizes)
    rows = [line for line in done.stdout.splitlines() if 'batch 1' in line]
    assert [row.split(',')[0] for row in rows] == ['forward', 'forward + backward']
    differences = [float(row.split(' relative')[0].split()[-1]) for row in rows]
    assert max(differences) < 1e-5
    assert done.returncode == ('TOO SLOW' in done.stdout)
