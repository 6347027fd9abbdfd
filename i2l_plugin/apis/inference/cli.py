"""The command line: ``i2l-mesh INPUT ... --config CONFIG --checkpoint FILE --out FOLDER``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from mmengine.config import DictAction
from mmpose.structures import PoseDataSample
from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors

from .inputs import find_inputs
from .loading import as_config
from .mesh_inferencer import MeshInferencer
from .result_files import DEFAULT_FORMATS, FORMATS
from .runtimes import BACKENDS, PRECISIONS
from .smoothing import METHODS

_SOURCES = ('bbox_source', 'camera_source', 'root_depth_source')
_PLAIN = dict(precision=PRECISIONS[0], channels_last=False, compile_network=False)
INTERRUPTED = 130  # exit status, as shells have it
_MAX_NAMED = 5  # pictures that a message names


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; `argv` is the process's by default."""
    parser = argparse.ArgumentParser(
        prog='i2l-mesh', description='3D meshes of the people, or right hands, in pictures.'
    )
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help="picture, video, folder, glob ('a/**/*.jpg') or webcam[:ID]",
    )
    parser.add_argument('--config', required=True, help='of the mesh network')
    parser.add_argument('--checkpoint', required=True, help='its weights')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides of --config, xxx.yyy=value'
    )
    parser.add_argument(
        '--det-config',
        help='config of a detector, or the name of one of the models of MMDetection; without it '
        'every picture is taken for the box of one person',
    )
    parser.add_argument('--det-checkpoint', help='weights of the detector')
    parser.add_argument(
        '--det-cat-ids',
        type=int,
        nargs='+',
        help='numbers of its classes to take, from 0 (default: the one named person, or hand)',
    )
    parser.add_argument(
        '--bbox-thr', type=float, help="least score of a detector's box (default: 0.3)"
    )
    parser.add_argument(
        '--nms-thr', type=float, help='greatest overlap with a better one of them (default: 0.3)'
    )
    parser.add_argument(
        '--root-config',
        help="config of a RootNet, for how far away people are; without it their boxes' sizes say",
    )
    parser.add_argument('--root-checkpoint', help='weights of the RootNet')
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument(
        '--camera', metavar='FILE', help='intrinsics: .json, .npz or a 3x3 matrix as text'
    )
    camera.add_argument(
        '--fov',
        type=float,
        help='horizontal field of view in degrees (default: EXIF data, else f = 1500 px)',
    )
    parser.add_argument(
        '--backend',
        choices=BACKENDS,
        default=BACKENDS[0],
        help='what runs the network; with onnxruntime --checkpoint is a file of tools/export.py',
    )
    parser.add_argument(
        '--precision',
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help='of the convolutions (default: %(default)s)',
    )
    parser.add_argument(
        '--channels-last', action='store_true', help='a memory layout that suits many processors'
    )
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile: a minute first, then faster'
    )
    parser.add_argument(
        '--flip-test',
        action=argparse.BooleanOptionalAction,
        help='average each crop with its mirror image, bodies only (default: as --config says); '
        'tools/benchmark.py infer tells what each of these four gains and costs',
    )
    parser.add_argument('--device', help='such as cpu or cuda:0')
    parser.add_argument('--batch-size', type=int, default=8, help='people at a time')
    parser.add_argument('--out', default='results', help='folder (default: %(default)s)')
    parser.add_argument(
        '--save',
        nargs='+',
        choices=FORMATS,
        default=DEFAULT_FORMATS,
        metavar='FORMAT',
        help=f'some of {" ".join(FORMATS)} (default: {" ".join(DEFAULT_FORMATS)})',
    )
    parser.add_argument(
        '--smooth',
        nargs='?',
        const=True,
        default=False,
        choices=[*METHODS],
        help='smooth people of videos over time (alone: savgol for videos, one-euro for cameras)',
    )
    parser.add_argument(
        '--kpt-thr', type=float, default=0.3, help='least score of a joint that is drawn'
    )
    parser.add_argument('--draw-bbox', action='store_true', help='draw boxes into the pictures')
    parser.add_argument('--show', action='store_true', help='show the pictures in a window')
    return parser.parse_args(argv)


@one_line_errors
def main() -> None:
    """Run the command of this process."""
    args = parse_args()
    try:
        run(args)
    except KeyboardInterrupt:
        tqdm.write(f'interrupted: the results so far are whole, in {args.out}', file=sys.stderr)
        sys.exit(INTERRUPTED)


def run(args: argparse.Namespace) -> None:
    """Find the meshes and write them; ends with a line that says what was found.

    Raises:
        FileNotFoundError, OSError, ValueError: An option is wrong, nothing could be read, or there
            is nobody in any picture.
    """
    _check_options(args)
    overrides = dict(args.cfg_options or {})
    if args.flip_test is not None:
        overrides['model.test_cfg.flip_test'] = args.flip_test
    inferencer = MeshInferencer(
        as_config(args.config, overrides),
        args.checkpoint,
        args.device,
        det_model=args.det_config,
        det_weights=args.det_checkpoint,
        det_cat_ids=args.det_cat_ids,
        root_model=args.root_config,
        root_weights=args.root_checkpoint,
        show_progress=True,
        backend=args.backend,
        backend_options=_backend_options(args),
    )
    report = _Report()
    results = inferencer(
        args.inputs,
        return_datasamples=True,
        batch_size=args.batch_size,
        out_dir=args.out,
        save=args.save,
        camera=args.camera,
        fov=args.fov,
        bbox_thr=args.bbox_thr,
        nms_thr=args.nms_thr,
        smooth=args.smooth,
        kpt_thr=args.kpt_thr,
        draw_bbox=args.draw_bbox,
        show=args.show,
        on_skip=report.skip,
    )
    with closing(results):  # ends its files also if Ctrl-C comes between two of them
        for result in results:
            report.add(result['predictions'][0])
    tqdm.write(f'{report.summary()}; results in {args.out}')


def _check_options(args: argparse.Namespace) -> None:
    """ValueError for options that would give no result, or one of random weights."""
    if args.root_config and not args.root_checkpoint:
        raise ValueError('--root-config: a RootNet without weights; give --root-checkpoint too')
    kinds = {item.kind in ('video', 'webcam') for item in find_inputs(args.inputs)}
    unused = {'video'} - {'video' for is_video in kinds if is_video}
    unused |= {'image'} - {'image' for is_video in kinds if not is_video}
    if unused.issuperset(args.save):
        raise ValueError(
            f'--save {" ".join(args.save)} writes nothing of these inputs: image is for pictures '
            'and video for videos and cameras; all others are for both'
        )


def _backend_options(args: argparse.Namespace) -> dict[str, Any]:
    """Options of `TorchRuntime` that were asked for."""
    options = dict(
        precision=args.precision, channels_last=args.channels_last, compile_network=args.compile
    )
    return {} if options == _PLAIN else options


class _Report:
    """What was found: one line, however many pictures there are."""

    def __init__(self) -> None:
        self.num_frames = self.num_people = self.num_empty = self.num_skipped = 0
        self.first_empty: list[str] = []
        self.sources: dict[str, Counter[str]] = {
            'boxes': Counter(),
            'camera': Counter(),
            'root depth': Counter(),
        }

    def skip(self, name: str, reason: str) -> None:
        """Say what cannot be read, above the bar."""
        self.num_skipped += 1
        tqdm.write(f'skipped {name}: {reason}', file=sys.stderr)

    def add(self, sample: PoseDataSample) -> None:
        """Count a picture."""
        meta, people = sample.metainfo, sample.pred_instances
        self.num_frames += 1
        self.num_people += len(people)
        if not len(people):
            self.num_empty += 1
            if self.num_empty <= _MAX_NAMED:
                self.first_empty.append(f'{meta["img_path"] or "webcam"} ({meta["frame_id"]})')
        for counter, name in zip(self.sources.values(), _SOURCES, strict=True):
            counter[meta[name]] += 1

    def summary(self) -> str:
        """The line; ValueError if nobody was found."""
        if not self.num_people:
            raise ValueError(
                f'no person found in {self.num_frames} pictures, boxes from '
                f'{_most(self.sources["boxes"])}; lower --bbox-thr, or leave --det-config out '
                'where a person fills the picture'
            )
        people = 'person' if self.num_people == 1 else 'people'
        pictures = 'picture' if self.num_frames == 1 else 'pictures'
        parts = [f'{self.num_people} {people} in {self.num_frames} {pictures}']
        if self.num_empty:
            more = ', ...' if self.num_empty > _MAX_NAMED else ''
            parts.append(f'nobody in {self.num_empty}: {", ".join(self.first_empty)}{more}')
        if self.num_skipped:
            parts.append(f'{self.num_skipped} skipped')
        parts += [f'{name}: {_most(counter)}' for name, counter in self.sources.items()]
        return '; '.join(parts)


def _most(counter: Counter[str]) -> str:
    """Names, with their counts where there are several."""
    if len(counter) == 1:
        return next(iter(counter))
    return ', '.join(f'{name} ({count})' for name, count in counter.most_common())
