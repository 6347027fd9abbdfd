"""Command line of the converters: the options that all have, and how a conversion ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from i2l_plugin.apis.cli import one_line_errors

from .builder import RecordBuilder
from .progress import MODES


def converter_parser(description: str | None, splits: Sequence[str]) -> argparse.ArgumentParser:
    """A parser with --root, --split, --out, --check-images, --on-error and --progress.

    Args:
        description: The converter's docstring.
        splits: Names that --split takes.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--root', type=Path, required=True, help='folder of the data set')
    parser.add_argument('--split', choices=splits, required=True)
    parser.add_argument('--out', type=Path, required=True, help='annotation record to write, .npz')
    parser.add_argument(
        '--check-images', action='store_true', help='decode every image, not only look for it'
    )
    parser.add_argument(
        '--on-error',
        choices=['stop', 'skip'],
        default='stop',
        help='at a corrupt entry or bad image: stop (default), or leave those people out',
    )
    parser.add_argument(
        '--progress',
        choices=list(MODES),
        default='auto',
        help='bars with the time left; auto: on a terminal (default)',
    )
    return parser


def converter_main(
    convert: Callable[[argparse.Namespace], RecordBuilder],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> None:
    """Convert, save, and print the summary; a user's mistake ends with one line, no traceback.

    Args:
        convert: From the options to a filled builder.
        parser: Of `converter_parser`, with the converter's own options.
        argv: The command line; the process's by default.
    """
    args = parser.parse_args(argv)

    @one_line_errors
    def run() -> None:
        try:
            _check_out(args.out)
            summary = convert(args).finish(args.out)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit('interrupted: nothing was written')
        print(summary)

    run()


def _check_out(out: Path) -> None:
    """Better now than after an hour."""
    if out.suffix != '.npz' or out.is_dir():
        raise ValueError(f'--out {out}: expected the name of an .npz file')
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        raise ValueError(f'--out {out}: the folder cannot be written to; name another')
