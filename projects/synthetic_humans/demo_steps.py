"""Steps of the demo: each is one of the project's commands, as a user would type it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from i2l_plugin.files import replacing

ROOT = Path(__file__).resolve().parents[2]
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
EVALUATORS = ('val_evaluator', 'test_evaluator')


@dataclass(frozen=True)
class Network:
    """One of the demo's networks.

    Attributes:
        config: Of its training and test.
        checkpoint: Where its weights go, under a name that does not change.
        data: Folder of its pictures.
        finds_boxes: Whether it is a detector, whose truth is a COCO file beside the pictures.
    """

    config: Path
    checkpoint: Path
    data: Path
    finds_boxes: bool = False

    def options(self, more: Sequence[str]) -> list[str]:
        """Overrides of its config, `more` among them, as words of a command."""
        words = [f'{loader}.dataset.data_root={self.data}/' for loader in LOADERS]
        if self.finds_boxes:
            words += [f'{name}.ann_file={self.data}/test_coco.json' for name in EVALUATORS]
        return ['--cfg-options', *words, *more]


class Chain(NamedTuple):
    """Networks that together see several people, and the least score of a person's box."""

    mesh: Network
    root: Network
    detector: Network
    bbox_thr: float

    def options(self) -> list[object]:
        """Words of a command that uses them."""
        return [
            *('--config', self.mesh.config, '--checkpoint', self.mesh.checkpoint),
            *('--det-config', self.detector.config, '--det-checkpoint', self.detector.checkpoint),
            *('--root-config', self.root.config, '--root-checkpoint', self.root.checkpoint),
            *('--bbox-thr', self.bbox_thr, '--device', 'cpu'),
        ]


def run(*command: object) -> None:
    """Run one of the project's tools; its failure is ours."""
    words = [str(word) for word in command]
    print('\n$', 'python', *words, flush=True)
    status = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
    if status:
        sys.exit(f'demo: the command above failed with status {status}')


def make_pictures(kind: str, folder: Path, num: tuple[int, int], size: str, seed: int) -> None:
    """Make pictures to train on and to test with; those that are there are kept.

    Args:
        kind: ``'body'`` or ``'scenes'``.
        folder: To make them in.
        num: Pictures to train on, and to test with.
        size: Of a picture in px, ``'128'`` or ``'192x144'``.
        seed: Of everything.
    """
    run(
        *('tools/make_synthetic.py', '--kind', kind, '--seed', seed, '--out', folder),
        *('--num-train', num[0], '--num-test', num[1], '--image-size', size),
    )


def train(network: Network, work_dir: Path, more: Sequence[str]) -> None:
    """Train a network unless it is done; an interrupted training goes on from its last epoch."""
    import torch

    if network.checkpoint.exists():
        return
    tool = ('tools/train.py', network.config, '--work-dir', work_dir, '--no-validate', '--resume')
    options = network.options(more)
    if torch.cuda.is_available():
        run(*tool, *options, 'train_dataloader.batch_size=16')
    else:
        # On two cores, two processes of one thread are faster than one process of two.
        processes = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2')
        run(*processes, *tool, '--launcher', 'pytorch', *options)
    with replacing(network.checkpoint) as part:
        shutil.copyfile((work_dir / 'last_checkpoint').read_text().strip(), part)


def test(network: Network, work_dir: Path, out: Path, more: Sequence[str]) -> None:
    """Test a network on its held-out pictures; `out` is the JSON file of its scores."""
    if not is_newer(out, network):
        words = ('--work-dir', work_dir, '--out', out)
        run('tools/test.py', network.config, network.checkpoint, *words, *network.options(more))


def evaluate_scenes(chain: Chain, out: Path) -> None:
    """Measure all networks together on the detector's held-out scenes; `out` is a JSON file."""
    if not is_newer(out, chain.mesh, chain.root, chain.detector):
        tool = 'projects/synthetic_humans/evaluate_scenes.py'
        run(tool, chain.detector.data, '--out', out, *chain.options())


def is_newer(scores: Path, *networks: Network) -> bool:
    """Whether scores are of these weights."""
    weights_ns = max(network.checkpoint.stat().st_mtime_ns for network in networks)
    return scores.exists() and scores.stat().st_mtime_ns > weights_ns
