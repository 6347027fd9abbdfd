"""Work in a process of its own, one after the other: a crash or a leak of one harms no other.

Processes are forked from a server that has imported everything once, which on a busy machine takes
longer than a short training.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from i2l_plugin.apis.cli import TRACEBACK_VARIABLE

# A head's maps of hundreds of MB: without these every one is mapped and zeroed by the system anew,
# which took four times as long as the work itself (glibc alone reads them).
ALLOCATOR = {
    'MALLOC_MMAP_MAX_': '0',
    'MALLOC_TRIM_THRESHOLD_': '100000000000',
    'MALLOC_TOP_PAD_': '268435456',
    'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=1',
}
_PRELOADED = ['mmpose.apis', 'i2l_plugin.apis.paper_tables.jobs']


def run_job(job: Callable[..., None], *arguments: Any, log: Path) -> None:
    """Call a function in a process of its own, all that it prints appended to a file.

    The process ends when this one does, even by SIGKILL. It has one thread and `ALLOCATOR`, where
    the environment says nothing else.

    Raises:
        ValueError: The job failed or was killed; names the log and its last line.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    for name, value in {'OMP_NUM_THREADS': '1', **ALLOCATOR}.items():
        os.environ.setdefault(name, value)  # the server reads them when it starts
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(_PRELOADED)
    process = context.Process(target=_logged, args=(log, job, arguments))
    process.start()
    try:
        process.join()
    except BaseException:
        process.kill()
        process.join()
        raise
    _check_status(process.exitcode, job.__name__, log)


def run_command(tool: Path, *arguments: object, log: Path) -> None:
    """Run a script with this interpreter, all that it prints appended to a file.

    Raises:
        ValueError: As `run_job`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('a') as file:
        command = [sys.executable, *map(str, (tool, *arguments))]
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    _check_status(status.returncode, tool.name, log)


def _check_status(status: int | None, name: str, log: Path) -> None:
    if status:
        lines = [line for line in log.read_text(errors='replace').splitlines() if line.strip()]
        telling = [line for line in lines if TRACEBACK_VARIABLE not in line]
        last = telling[-1] if telling else 'no output'
        raise ValueError(f'{name} ended with status {status}: {last} (all of it in {log})')


def _logged(log: Path, job: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with log.open('a') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        job(*arguments)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
