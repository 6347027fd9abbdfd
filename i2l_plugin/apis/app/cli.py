"""The command line of the web page: python tools/app.py --config CONFIG --checkpoint FILE"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, suppress

from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors

from .limits import Limits

_LIMITS = {  # option: field of Limits, type, help
    '--max-mb': ('max_mb', float, 'largest upload in MB'),
    '--max-megapixels': ('max_megapixels', float, 'largest picture or frame in 10^6 px'),
    '--max-seconds': ('max_seconds', float, 'how much of a clip is used'),
    '--max-frames': ('max_frames', int, 'likewise, in frames'),
    '--max-people': ('max_people', int, 'people of a picture that are shown'),
    '--max-waiting': ('max_waiting', int, 'visitors in the queue'),
    '--max-store-mb': ('max_store_mb', float, 'disk space of all visitors together in MB'),
    '--keep-minutes': ('keep_minutes', float, 'how long files are kept after their last use'),
}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; `argv` is the process's by default."""
    parser = argparse.ArgumentParser(
        prog='app.py', description='A web page that shows the people of pictures and clips in 3D.'
    )
    parser.add_argument('--config', required=True, help='of the mesh network')
    parser.add_argument('--checkpoint', required=True, help='its weights')
    parser.add_argument(
        '--det-config',
        help='config of a detector, or the name of one of the models of MMDetection; without it '
        'every picture is taken for the box of one person',
    )
    parser.add_argument('--det-checkpoint', help='weights of the detector')
    parser.add_argument(
        '--bbox-thr', type=float, help="least score of a detector's box (default: 0.3)"
    )
    parser.add_argument(
        '--root-config',
        help="config of a RootNet, for how far away people are; without it their boxes' sizes say",
    )
    parser.add_argument('--root-checkpoint', help='weights of the RootNet')
    parser.add_argument(
        '--fov',
        type=float,
        help='horizontal field of view in degrees (default: EXIF data, else f = 1500 px)',
    )
    parser.add_argument('--device', help='such as cpu or cuda:0')
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='interface to listen on (default: %(default)s, which only this computer reaches; '
        '0.0.0.0 is all of them)',
    )
    parser.add_argument('--port', type=int, default=7860, help='(default: %(default)s)')
    limits = parser.add_argument_group('limits')
    for option, (name, kind, text) in _LIMITS.items():
        default = getattr(Limits, name)
        limits.add_argument(option, type=kind, default=default, help=f'{text} (default: {default})')
    return parser.parse_args(argv)


def make_limits(args: argparse.Namespace) -> Limits:
    """The limits that the options say.

    Raises:
        ValueError: One of them is not > 0.
    """
    return Limits(**{name: getattr(args, name) for name, _, _ in _LIMITS.values()})


@one_line_errors
def main() -> None:
    """Serve the page until Ctrl-C, or until the system asks this process to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Where Ctrl-C is ignored, as in a script's background, the server still ends by it, in silence.
    with suppress(KeyboardInterrupt):
        run(parse_args())
    tqdm.write('stopped; the files of all visitors are deleted', file=sys.stderr)


def run(args: argparse.Namespace) -> None:
    """Load the networks and serve the page.

    Raises:
        FileNotFoundError, OSError, ValueError: An option is wrong, the port is taken, or Gradio is
            not installed.
    """
    from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer

    from .engine import Engine
    from .gate import is_local
    from .server import address, listen, serve
    from .storage import Store

    limits = make_limits(args)
    with closing(listen(args.host, args.port)) as bound:
        inferencer = MeshInferencer(
            args.config,
            args.checkpoint,
            args.device,
            det_model=args.det_config,
            det_weights=args.det_checkpoint,
            root_model=args.root_config,
            root_weights=args.root_checkpoint,
        )
        engine = Engine(inferencer, limits, args.bbox_thr, args.fov)
        lines = [f'open {address(args.host, bound.getsockname()[1])} in a browser; Ctrl-C ends']
        if not is_local(args.host):
            lines.append('everybody who reaches this computer can use it: it asks for no password')
        serve(engine, bound, Store(limits), lambda: tqdm.write('\n'.join(lines), file=sys.stderr))
