"""The whole of the plugin on embedded open data: make people, train, test, draw.

python projects/synthetic_humans/demo.py --out work_dirs/demo

Each step is one of the commands that a user would type. Finished steps are not done again, so a
demo that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/body/i2l-meshnet_res18_2xb8-8e_synthetic-64x64.py'
REPORTED = {
    'MPJPE': 'joint/MPJPE',
    'PA-MPJPE': 'joint/PA-MPJPE',
    'MPVPE': 'vertex/MPVPE',
    'PA-MPVPE': 'vertex/PA-MPVPE',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument('--num-train', type=positive, default=5000)
    parser.add_argument('--num-test', type=positive, default=300)
    parser.add_argument('--image-size', type=int, default=128, help='px')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--pictures', type=positive, default=8, help='rows of overlay.png')
    parser.add_argument(
        '--cfg-options', nargs='*', default=[], help='overrides of the config, for train and test'
    )
    return parser.parse_args()


def positive(text: str) -> int:
    """A whole number of at least 1; what needs one comes after minutes of training."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'got {text}, expected at least 1')
    return number


def run(*command: object) -> None:
    """Run one of the project's tools; its failure is ours."""
    words = [str(word) for word in command]
    print('\n$', 'python', *words, flush=True)
    status = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
    if status:
        sys.exit(f'demo: the command above failed with status {status}')


def data_options(data: Path) -> list[str]:
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    return [f'{loader}.dataset.data_root={data}/' for loader in loaders]


def check_settings(out: Path, settings: dict) -> None:
    """Refuse a folder that holds another demo: its checkpoint would pass for this one's."""
    path = out / 'settings.json'
    if path.exists():
        held = json.loads(path.read_text())
        differing = sorted(name for name in settings if held.get(name) != settings[name])
        if differing:
            sys.exit(
                f'demo: {out} holds a demo with another {", ".join(differing)}; choose another '
                '--out or remove that folder'
            )
    write_atomically(path, json.dumps(settings, indent=2) + '\n')


def train(out: Path, options: list[str]) -> Path:
    """Train unless it is done; the checkpoint under a name that does not change."""
    import torch

    checkpoint = out / 'checkpoint.pth'
    tool = ('tools/train.py', CONFIG, '--work-dir', out / 'train', '--no-validate', '--resume')
    if checkpoint.exists():
        return checkpoint
    if torch.cuda.is_available():
        run(*tool, *options, 'train_dataloader.batch_size=16')
    else:
        # On two cores, two processes of one thread are faster than one process of two.
        processes = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2')
        run(*processes, *tool, '--launcher', 'pytorch', *options)
    part = out / 'checkpoint.pth.part'
    shutil.copyfile((out / 'train/last_checkpoint').read_text().strip(), part)
    part.replace(checkpoint)
    return checkpoint


def report(out: Path, config: object) -> dict:
    """metrics.json: the model, the constant predictor, and their ratio."""
    from i2l_plugin.apis.constant_baseline import evaluate_constant

    model = json.loads((out / 'test.json').read_text())
    constant = evaluate_constant(config)
    metrics = {
        'unit': 'mm',
        'held_out_people': int(model['joint/N']),
        'model': {name: model[key] for name, key in REPORTED.items()},
        'posenet': {name: model[f'posenet/{name}'] for name in ('MPJPE', 'PA-MPJPE')},
        'constant_predictor': {name: constant[key] for name, key in REPORTED.items()},
        'model_over_constant': {n: model[key] / constant[key] for n, key in REPORTED.items()},
    }
    write_atomically(out / 'metrics.json', json.dumps(metrics, indent=2) + '\n')
    return metrics


def draw(out: Path, config: object, checkpoint: Path, rows: int) -> None:
    """overlay.png, a row for each of the first held-out people, and mesh.glb of the first."""
    import cv2
    import numpy as np
    import torch
    from mmengine.dataset import pseudo_collate
    from mmpose.apis import init_model
    from mmpose.registry import DATASETS, VISUALIZERS

    from i2l_plugin.visualization.exporters import export_mesh

    model = init_model(config, str(checkpoint), device='cpu')
    test_set = DATASETS.build(config.test_dataloader.dataset)
    samples = [test_set[i] for i in range(min(rows, len(test_set)))]
    with torch.no_grad():
        results = model.test_step(pseudo_collate(samples))
    visualizer = VISUALIZERS.build(
        dict(
            type='MeshVisualizer',
            name='demo',
            body_model=config.visualizer.body_model,
            panel_height=256,
        )
    )
    visualizer.set_dataset_meta(test_set.metainfo)
    pictures = []
    for result in results:
        image = cv2.imread(result.img_path)[..., ::-1]
        pictures.append(visualizer.draw(image, result))
    half = (len(pictures) + 1) // 2  # two columns
    blank = np.full_like(pictures[0], 255)
    columns = [pictures[:half], pictures[half:] + [blank] * (2 * half - len(pictures))]
    sheet = np.hstack([np.vstack(column) for column in columns])
    part = out / 'overlay.part.png'
    cv2.imwrite(str(part), sheet[..., ::-1])
    part.replace(out / 'overlay.png')
    export_mesh(out / 'mesh.glb', results[0].pred_instances.vertices_cam[0], visualizer.faces)


def write_atomically(path: Path, text: str) -> None:
    part = path.with_name(f'{path.name}.part')
    part.write_text(text)
    os.replace(part, path)


def summary(metrics: dict) -> str:
    """The metrics as a small table."""
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
    data = out / 'data'
    names = ('num_train', 'num_test', 'image_size', 'seed', 'cfg_options')
    settings = {name: getattr(args, name) for name in names}
    check_settings(out, {**settings, 'config': CONFIG.read_text()})
    run(
        *('tools/make_synthetic.py', '--kind', 'body', '--seed', args.seed, '--out', data),
        *('--num-train', args.num_train, '--num-test', args.num_test),
        *('--image-size', args.image_size),
    )
    options = ['--cfg-options', *data_options(data), *args.cfg_options]
    checkpoint = train(out, options)
    test_options = ('--work-dir', out / 'test', '--out', out / 'test.json')
    run('tools/test.py', CONFIG, checkpoint, *test_options, *options)

    from mmengine.config import DictAction

    from i2l_plugin.apis.runner import load_config

    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    config = load_config(str(CONFIG), parser.parse_args(options).cfg_options)
    metrics = report(out, config)
    draw(out, config, checkpoint, args.pictures)
    print(f'\n{summary(metrics)}\n\n{(time.perf_counter() - start) / 60:.1f} minutes')
    for name in ('checkpoint.pth', 'metrics.json', 'overlay.png', 'mesh.glb'):
        print(os.path.relpath(out / name))


if __name__ == '__main__':
    main()
