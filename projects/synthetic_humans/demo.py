"""The whole of the plugin on embedded open data: make people, train, test, draw.

python projects/synthetic_humans/demo.py --out work_dirs/demo

Each step is one of the commands that a user would type. Finished steps are not done again, so a
demo that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from demo_pictures import draw_people, show_scenes
from demo_steps import ROOT, Chain, Network, evaluate_scenes, make_pictures, test, train

from i2l_plugin.files import write_json

CONFIGS = {
    'mesh': ROOT / 'configs/body/i2l-meshnet_res18_2xb8-8e_synthetic-64x64.py',
    'root': ROOT / 'configs/body/rootnet_res18_2xb8-8e_synthetic-64x64.py',
    'detector': ROOT / 'configs/detectors/rtmdet-nano_2xb8-12e_synthetic-160x128.py',
}
SCENE_SIZE = '192x144'  # px
REPORTED = {
    'MPJPE': 'joint/MPJPE',
    'PA-MPJPE': 'joint/PA-MPJPE',
    'MPVPE': 'vertex/MPVPE',
    'PA-MPVPE': 'vertex/PA-MPVPE',
}
ROOT_ERROR = 'root/MRPE'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument('--num-train', type=positive, default=5000, help='pictures of one person')
    parser.add_argument('--num-test', type=positive, default=300)
    parser.add_argument('--num-train-scenes', type=positive, default=2400, help='of 1 to 3 people')
    parser.add_argument('--num-test-scenes', type=positive, default=150)
    parser.add_argument('--image-size', type=int, default=128, help='px, of one person')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--pictures', type=positive, default=8, help='rows of overlay.png')
    parser.add_argument(
        '--bbox-thr', type=float, default=0.3, help='least score of a person in a scene'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='*',
        default=[],
        help='overrides of the configs of all three networks, for train and test',
    )
    return parser.parse_args()


def positive(text: str) -> int:
    """A whole number of at least 1; what needs one comes after minutes of training."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'got {text}, expected at least 1')
    return number


def check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Refuse a folder that holds another demo: its checkpoints would pass for this one's."""
    path = out / 'settings.json'
    if path.exists():
        held = json.loads(path.read_text())
        differing = sorted(name for name in settings if held.get(name) != settings[name])
        if differing:
            sys.exit(
                f'demo: {out} holds a demo with another {", ".join(differing)}; choose another '
                '--out or remove that folder'
            )
    write_json(settings, path, indent=2)


def load(network: Network, more: list[str]) -> Any:
    """The config of a network, as its commands see it."""
    from mmengine.config import DictAction

    from i2l_plugin.apis.runner import load_config

    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return load_config(str(network.config), parser.parse_args(network.options(more)).cfg_options)


def report(out: Path, config: Any, root_config: Any) -> dict[str, Any]:
    """metrics.json: the networks, those who look at no picture, their ratio; what scenes gave."""
    from i2l_plugin.apis.constant_baseline import evaluate_constant
    from i2l_plugin.apis.constant_root import evaluate_constant_roots

    model, rootnet, scenes = (
        json.loads((out / f'{name}.json').read_text())
        for name in ('test', 'test_rootnet', 'scenes')
    )
    constant = evaluate_constant(config)
    roots = evaluate_constant_roots(root_config)
    ours = {name: model[key] for name, key in REPORTED.items()} | {'MRPE': rootnet[ROOT_ERROR]}
    theirs = {name: constant[key] for name, key in REPORTED.items()}
    theirs['MRPE'] = roots['mean gamma'][ROOT_ERROR]
    metrics = {
        'unit': 'mm',
        'held_out_people': int(model['joint/N']),
        'model': ours,
        'posenet': {name: model[f'posenet/{name}'] for name in ('MPJPE', 'PA-MPJPE')},
        'constant_predictor': theirs,
        'box_size': {'MRPE': roots['box size'][ROOT_ERROR]},
        'model_over_constant': {name: ours[name] / theirs[name] for name in ours},
        'scenes': scenes,
    }
    write_json(metrics, out / 'metrics.json', indent=2)
    return metrics


def summary(metrics: dict[str, Any]) -> str:
    """The metrics of single people as a small table."""
    lines = [f'{"mm, held-out people":24}{"model":>10}{"constant":>10}{"ratio":>8}']
    for name, ratio in metrics['model_over_constant'].items():
        ours, theirs = metrics['model'][name], metrics['constant_predictor'][name]
        lines.append(f'{name:24}{ours:10.1f}{theirs:10.1f}{ratio:8.2f}')
    return '\n'.join(lines)


def main() -> None:
    args = parse_args()
    start = time.perf_counter()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    data, scenes, more = out / 'data', out / 'scenes_data', args.cfg_options
    settings = {
        name: value for name, value in vars(args).items() if name not in ('out', 'pictures')
    }
    check_settings(out, settings | {name: path.read_text() for name, path in CONFIGS.items()})
    mesh = Network(CONFIGS['mesh'], out / 'checkpoint.pth', data)
    root = Network(CONFIGS['root'], out / 'rootnet.pth', data)
    detector = Network(CONFIGS['detector'], out / 'detector.pth', scenes, finds_boxes=True)

    num = (args.num_train, args.num_test)
    make_pictures('body', data, num, str(args.image_size), args.seed)
    num = (args.num_train_scenes, args.num_test_scenes)
    make_pictures('scenes', scenes, num, SCENE_SIZE, args.seed)
    for network in (mesh, root, detector):
        train(network, out / f'train_{network.checkpoint.stem}', more)
    for network, name in ((mesh, 'test'), (root, 'test_rootnet')):
        test(network, out / name, out / f'{name}.json', more)
    chain = Chain(mesh, root, detector, args.bbox_thr)
    evaluate_scenes(chain, out / 'scenes.json')
    config = load(mesh, more)
    metrics = report(out, config, load(root, more))
    draw_people(out, config, mesh.checkpoint, args.pictures)
    files = show_scenes(out, chain)

    print(f'\n{summary(metrics)}\n\n{(time.perf_counter() - start) / 60:.1f} minutes')
    shown = [out / name for name in ('metrics.json', 'overlay.png', 'mesh.glb', 'scenes.png')]
    for path in [mesh.checkpoint, root.checkpoint, detector.checkpoint, *shown, *files]:
        print(os.path.relpath(path))


if __name__ == '__main__':
    main()
