"""Where the time goes from a picture to meshes, and what each faster way of running costs in mm.

Detector, crop, root (depths), mesh (network), decode (lixels to camera space), overlay (people over
a frame of a video) and render (all views of a still picture) by themselves, for each batch of
people, and still pictures a second through MeshInferencer. Then the network alone in other ways
(channels last, bfloat16, compiled, ONNX Runtime, averaged with its mirror image) in turns with
plain float32: time, ratio, and how far the vertices are from float32's. Give pictures and
checkpoints where the distances are to mean something; without pictures, noise is taken.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate

from i2l_plugin.apis import MeshInferencer
from i2l_plugin.apis.inference.frames import read_frames
from i2l_plugin.apis.inference.runtimes import OnnxRuntime, TorchRuntime
from i2l_plugin.apis.inference.scene import Person
from i2l_plugin.apis.onnx_export import export_onnx
from i2l_plugin.apis.runner import load_config
from i2l_plugin.visualization.scene_overlay import draw_overlay

from ._ratios import count, seconds_of_both

NOISE_SIZE_PX = (640, 480)
WAYS = ('channels_last', 'bfloat16', 'bfloat16 channels_last', 'flip_test', 'compile', 'onnx')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument('config', help='a config with a mesh network')
    parser.add_argument('checkpoint', nargs='?', help='its weights; random if not given')
    parser.add_argument('--det-config', help='detector; without one people are given boxes')
    parser.add_argument('--det-checkpoint')
    parser.add_argument('--root-config', help='RootNet; without one boxes tell the depth')
    parser.add_argument('--root-checkpoint')
    parser.add_argument('--images', help='picture, folder, glob or video (default: noise)')
    parser.add_argument('--num-images', type=count, default=8, help='pictures at most (default: 8)')
    parser.add_argument('--people', type=count, default=2, help='boxes a picture (default: 2)')
    parser.add_argument(
        '--batch', type=count, nargs='+', default=[1, 8], help='batch sizes (default: 1 8)'
    )
    parser.add_argument(
        '--repeats', type=count, default=3, help='runs of which the fastest counts (default: 3)'
    )
    parser.add_argument(
        '--ways', nargs='*', choices=WAYS, default=WAYS[:3], help='compared with float32'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )


def run(args: argparse.Namespace) -> None:
    """Print both tables.

    Raises:
        FileNotFoundError, ValueError: A file is missing or wrong.
    """
    inferencer = MeshInferencer(
        load_config(args.config, args.cfg_options),
        args.checkpoint,
        'cpu',
        det_model=args.det_config,
        det_weights=args.det_checkpoint,
        root_model=args.root_config,
        root_weights=args.root_checkpoint,
    )
    pictures = [frame.image_bgr for frame in _first_frames(args.images, args.num_images)]
    people = _people(inferencer, pictures, args.people)
    print(f'{len(pictures)} pictures of {" x ".join(map(str, pictures[0].shape[1::-1]))} px')
    print(f'{"":12}' + ''.join(f'{f"{b} people ms":>14}' for b in args.batch))
    for name, work in _parts(inferencer, people):
        times = [1e3 * _seconds(work, _take(people, b), args.repeats) for b in args.batch]
        print(f'{name:12}' + ''.join(f'{ms:14.2f}' for ms in times), flush=True)
    for batch in args.batch:
        seconds, found = _end_to_end(inferencer, pictures, args.people, batch)
        print(
            f'end to end, batch {batch}: {len(pictures) / seconds:.2f} pictures a second, '
            f'{found / len(pictures):.1f} people each'
        )
    _compare_ways(args, inferencer, people)


def _first_frames(images: str | None, number: int) -> Iterator[Any]:
    if images is None:
        width, height = NOISE_SIZE_PX
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (number, height, width, 3), dtype=np.uint8)
    for i, frame in enumerate(read_frames(images)):
        if i == number:
            break
        yield frame


def _boxes(picture: np.ndarray, number: int) -> np.ndarray:
    """People side by side, as high as the picture. (number, 4) px."""
    height, width = picture.shape[:2]
    edges = np.linspace(0, width, number + 1)
    return np.stack([edges[:-1], 0 * edges[1:], edges[1:], 0 * edges[1:] + height], axis=1)


def _people(inferencer: MeshInferencer, pictures: list[np.ndarray], number: int) -> list[Person]:
    boxes = [_boxes(picture, number) for picture in pictures]
    scenes = list(inferencer.preprocess(pictures, bboxes=boxes))
    people = [person for scene in scenes for person in scene.people]
    inferencer.forward(people)  # depths
    return people


def _take(people: list[Person], number: int) -> list[Person]:
    """So many people, the same ones again where there are fewer."""
    return [people[i % len(people)] for i in range(number)]


def _parts(
    inferencer: MeshInferencer, people: list[Person]
) -> Iterator[tuple[str, Callable[[list[Person]], Any]]]:
    """Name and work of each part; the detector and the drawing work on one picture."""
    estimate, model = inferencer.estimate, inferencer.model
    runtime = TorchRuntime(model)
    if inferencer.detector is not None:
        yield 'detector', lambda some: inferencer.detector(some[0].scene.frame.image_bgr)
    yield 'crop', lambda some: [estimate.crops(person) for person in some]
    yield 'root', estimate.root_depths
    packed = {id(person): estimate.crops(person) for person in people}

    def lixels(some: list[Person]) -> Any:
        with torch.no_grad():
            return runtime.estimate(runtime.prepare([packed[id(p)] for p in some])[0])

    yield 'mesh', lixels
    answers: dict[int, Any] = {}

    def decode(some: list[Person]) -> Any:
        if len(some) not in answers:
            answers[len(some)] = lixels(some)
        samples = pseudo_collate([packed[id(p)] for p in some])['data_samples']
        return model.place(answers[len(some)], samples)

    yield 'decode', decode
    faces = inferencer.visualizer.faces
    frame, sample = people[0].scene.frame, people[0].scene.to_sample(model.body_model)
    yield 'overlay', lambda _: draw_overlay(frame.image_bgr[..., ::-1], sample, faces)
    yield 'render', lambda _: inferencer.visualize(frame, sample)


def _seconds(work: Callable[[Any], Any], some: Any, repeats: int) -> float:
    """Least seconds of several runs, after one that does not count."""
    work(some)
    best = float('inf')
    for _ in range(repeats):
        start = time.perf_counter()
        work(some)
        best = min(best, time.perf_counter() - start)
    return best


def _end_to_end(
    inferencer: MeshInferencer, pictures: list[np.ndarray], number: int, batch: int
) -> tuple[float, int]:
    """Seconds from pictures to drawn meshes, and how many people there were."""
    given = {}
    if inferencer.detector is None:
        given['bboxes'] = [_boxes(picture, number) for picture in pictures]
    found = 0
    start = time.perf_counter()
    results = inferencer(
        pictures, return_datasamples=True, return_vis=True, batch_size=batch, **given
    )
    for result in results:
        found += len(result['predictions'][0].pred_instances)
    return time.perf_counter() - start, found


def _compare_ways(
    args: argparse.Namespace, inferencer: MeshInferencer, people: list[Person]
) -> None:
    """The second table."""
    if not args.ways:
        return
    plain = TorchRuntime(_with_flip_test(inferencer.model, False))
    print(
        f'\n{"network":24}{"batch":>6}{"float32 ms":>12}{"this ms":>9}{"ratio":>8}{"mean mm":>9}'
        f'{"max mm":>8}'
    )
    with tempfile.TemporaryDirectory() as folder:
        for way in args.ways:
            other = _runtime(way, inferencer.model, Path(folder))
            for batch in args.batch:
                packed = [inferencer.estimate.crops(person) for person in _take(people, batch)]
                distance = np.linalg.norm(
                    _vertices(other, packed) - _vertices(plain, packed), axis=-1
                )
                times = seconds_of_both(
                    lambda p=packed: plain(p), lambda p=packed, o=other: o(p), args.repeats
                )
                print(
                    f'{way:24}{batch:6}{1e3 * times[0]:12.1f}{1e3 * times[1]:9.1f}'
                    f'{times[0] / times[1]:7.2f}x{distance.mean():9.3f}{distance.max():8.2f}',
                    flush=True,
                )


def _runtime(way: str, model: torch.nn.Module, folder: Path) -> Any:
    """What runs the network in one of `WAYS`, with a copy of its weights."""
    if way == 'onnx':
        export_onnx(model, folder / 'model.onnx')
        return OnnxRuntime(_with_flip_test(model, False), str(folder / 'model.onnx'))
    return TorchRuntime(
        _with_flip_test(model, way == 'flip_test'),
        precision='bfloat16' if 'bfloat16' in way else 'float32',
        channels_last='channels_last' in way,
        compile_network=way == 'compile',
    )


def _with_flip_test(model: torch.nn.Module, flip_test: bool) -> torch.nn.Module:
    """A copy, averaged with its mirror image or not whatever its config says."""
    model = copy.deepcopy(model)
    model.test_cfg = {**model.test_cfg, 'flip_test': flip_test}
    return model


def _vertices(runtime: Any, packed: list[Any]) -> np.ndarray:
    """(B, V, 3) mm."""
    samples = runtime(copy.deepcopy(packed))
    return np.concatenate([sample.pred_instances.vertices_cam for sample in samples])
