"""Opening many annotation records: columns mapped from a file against the host's list of dicts.

Prints seconds to open, the memory that opening took (peak, and what stays), the time of a sample,
the private memory of a forked and a spawned worker that reads the samples, and the ratios. The
host's way is MMEngine's BaseDataset on a pickled list of dicts with the same fields, serialised as
it does by default. Each way is measured in a process of its own. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset

from i2l_plugin.body_models import H36M_17, SMPL_24
from i2l_plugin.datasets import AnnotationRecord, MeshDataset

from ._ratios import count

_ROWS = {
    'open_s': 'seconds to open',
    'peak_mb': 'peak memory of opening, MB',
    'open_mb': 'memory after opening, MB',
    'private_mb': 'of it not shared with the file, MB',
    'sample_us': 'microseconds a sample',
    'fork_mb': 'private memory of a forked worker, MB',
    'spawn_mb': 'private memory of a spawned worker, MB',
}
_PROMISES = {'open_s': 5, 'peak_mb': 1000}
_STRIDE = 5  # samples between two that are read: every page of the file is touched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument('--num', type=count, default=300_000, help='persons (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Make both files in a temporary folder, measure, print the table; 1 if a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), args.num)
        ours, host = (_in_fresh_process(way, folder) for way in ('columns', 'list'))
    print(f'{f"{args.num} persons":42}{"columns":>10}{"list":>10}{"ratio":>8}{"promised":>10}')
    status = 0
    for key, title in _ROWS.items():
        ratio = f'{host[key] / ours[key]:7.1f}x' if ours[key] > 0.005 else ''
        limit = _PROMISES.get(key, float('inf'))
        promised = f'< {limit:g}' if key in _PROMISES else ''
        verdict = '' if ours[key] < limit else '  TOO MUCH'
        print(f'{title:42}{ours[key]:10.2f}{host[key]:10.2f}{ratio:>8}{promised:>10}{verdict}')
        status |= ours[key] >= limit
    return int(status)


def write_files(folder: Path, num: int) -> None:
    """``record.npz`` and ``list.pkl`` with the same random persons."""
    rng = np.random.default_rng(0)
    a = len(H36M_17)
    columns = {
        'sample_id': np.arange(num),
        'image_id': np.arange(num),
        'image_path': np.array([f's_01_act_02_subact_01_ca_01/{i:06d}.jpg' for i in range(num)]),
        'image_size_px': np.full((num, 2), 1000),
        'bbox_px': np.tile([100.0, 50.0, 600.0, 900.0], (num, 1)),
        'focal_px': np.full((num, 2), 1145.0),
        'princpt_px': np.full((num, 2), 512.0),
        'pose': rng.normal(size=(num, len(SMPL_24), 3)),
        'betas': rng.normal(size=(num, 10)),
        'transl_m': rng.normal(size=(num, 3)),
        'fit_valid': np.ones(num, bool),
        'joints_cam_mm': rng.normal(size=(num, a, 3)),
        'joints_px': rng.normal(size=(num, a, 2)),
        'joints_valid': np.ones((num, a), bool),
        'has_depth': np.ones(num, bool),
        'root_depth_mm': np.full(num, 5000.0),
    }
    record = AnnotationRecord.create('body', H36M_17.joint_names, **columns)
    record.save(folder / 'record.npz')
    data_list = []
    for row in range(num):
        person = {name: record[name][row] for name in columns}
        data_list.append({**person, 'img_path': person.pop('image_path').decode()})
    with open(folder / 'list.pkl', 'wb') as file:
        pickle.dump({'metainfo': {}, 'data_list': data_list}, file, protocol=4)


def _in_fresh_process(way: str, folder: str) -> dict[str, float]:
    command = [sys.executable, '-m', 'benchmarks.records', way, folder]
    tools = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=tools)
    return json.loads(done.stdout.splitlines()[-1])


def _memory_mb() -> dict[str, float]:
    """Resident, private (shared with no file or process) and peak memory of this process."""
    fields = {}
    for line in Path('/proc/self/smaps_rollup').read_text().splitlines()[1:]:
        name, value = line.split(':')
        fields[name] = float(value.split()[0]) / 1024
    status = Path('/proc/self/status').read_text()
    peak_mb = float(status.split('VmHWM:')[1].split()[0]) / 1024
    return {'resident': fields['Rss'], 'private': fields['Private_Dirty'], 'peak': peak_mb}


def _open(way: str, folder: str) -> BaseDataset:
    if way == 'columns':
        return MeshDataset(ann_file='record.npz', data_root=folder)
    return BaseDataset(ann_file='list.pkl', data_root=folder, data_prefix={'img_path': 'images'})


def _read_all(
    dataset: BaseDataset, before_mb: float | None, answers: multiprocessing.Queue
) -> None:
    """Worker: read all pages; answer the private memory that the data set cost it."""
    if before_mb is None:  # forked: what it had already when it started
        before_mb = _memory_mb()['private']
    for i in range(0, len(dataset), _STRIDE):
        dataset.get_data_info(i)
    answers.put(_memory_mb()['private'] - before_mb)


def _idle(answers: multiprocessing.Queue) -> None:
    """Worker without a data set: what a spawned process costs by itself."""
    answers.put(_memory_mb()['private'])


def _ask_worker(method: str, target: object, *arguments: object) -> float:
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    process = context.Process(target=target, args=(*arguments, answers))
    process.start()
    answer = answers.get(timeout=600)
    process.join()
    return answer


def measure(way: str, folder: str) -> dict[str, float]:
    """All numbers of one way of holding annotations."""
    before, result = _memory_mb(), {}
    start = time.perf_counter()
    dataset = _open(way, folder)
    result['open_s'] = time.perf_counter() - start
    after = _memory_mb()
    result['peak_mb'] = after['peak'] - before['resident']
    result['open_mb'] = after['resident'] - before['resident']
    result['private_mb'] = after['private'] - before['private']
    start = time.perf_counter()
    rows = range(0, len(dataset), _STRIDE)
    for i in rows:
        dataset.get_data_info(i)
    result['sample_us'] = 1e6 * (time.perf_counter() - start) / len(rows)
    result['fork_mb'] = _ask_worker('fork', _read_all, dataset, None)
    bare_mb = _ask_worker('spawn', _idle)
    result['spawn_mb'] = _ask_worker('spawn', _read_all, dataset, bare_mb)
    return result


if __name__ == '__main__':
    print(json.dumps(measure(*sys.argv[1:])))
