#!/usr/bin/env python
"""Time the plugin's fast paths against plain versions: python tools/benchmark.py alignment

Each module of tools/benchmarks is a sub-command. Both sides run in one process on the same number
of threads. The exit status is 1 if a ratio is lower than the project promises.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent / 'benchmarks'


def main(argv: list[str]) -> int:
    """Run one benchmark; its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--threads',
        type=int,
        choices=range(1, 257),
        metavar='N',
        default=1,
        help='of both sides (default: %(default)s)',
    )
    commands = parser.add_subparsers(dest='name', required=True, metavar='BENCHMARK')
    for path in sorted(BENCHMARKS.glob('[a-z]*.py')):
        # help must not need the modules: they import everything that they measure
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ''
        commands.add_parser(path.stem, help=docstring.split('\n')[0], add_help=False)
    args, options = parser.parse_known_args(argv)

    for variable in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        os.environ[variable] = str(args.threads)  # read when numpy and torch are imported
    benchmark = importlib.import_module(f'benchmarks.{args.name}')
    command = argparse.ArgumentParser(
        prog=f'{parser.prog} {args.name}',
        description=benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benchmark.add_arguments(command)
    return benchmark.run(command.parse_args(options)) or 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except ModuleNotFoundError as error:
        sys.exit(f'benchmark.py: {error}; install the project first: pip install -e .')
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f'benchmark.py: {error}')
    except KeyboardInterrupt:
        sys.exit(130)
