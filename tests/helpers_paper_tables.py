"""Two toy rows of Table 9 and a toy data set, for studies that take seconds."""

import os
import signal
from pathlib import Path

from helpers_runs import BODY_CONFIG, make_project, tiny_config
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

HEADERS = {
    'mean': 'Table 9, average pooling (ours). Paper (Human3.6M): MPJPE 86.2, PA-MPJPE 59.8 mm.',
    'max': 'Table 9, max pooling. Paper (Human3.6M): MPJPE 93.5, PA-MPJPE 64.1 mm.',
}


@HOOKS.register_module()
class KillIfAskedHook(Hook):
    """SIGKILL after an iteration (from 1) if a file names it; the file is removed."""

    priority = 'LOWEST'

    def __init__(self, file):
        self.file = Path(file)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        del batch_idx, data_batch, outputs
        if self.file.is_file() and self.file.read_text() == str(runner.iter + 1):
            self.file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def write_toy_study(folder):
    """``configs/ablations/table09_*.py``, ``data.py`` and what they need; the toy data's config.

    Runs die where the file ``kill`` says so.
    """
    make_project(folder)
    write_python(folder / 'data.py', tiny_config(BODY_CONFIG, folder))
    for name, header in HEADERS.items():
        row = tiny_config(BODY_CONFIG, folder)
        row.model.update(pose_head=None, pose_to_feature=None, mesh_backbone=None)
        row.model.mesh_head.marginalise = name
        row.custom_hooks = [
            *row.custom_hooks,
            dict(type='KillIfAskedHook', file=str(folder / 'kill')),
        ]
        row.custom_imports.imports = [*row.custom_imports.imports, 'helpers_paper_tables']
        write_python(folder / f'configs/ablations/table09_{name}.py', row, header)
    return Config.fromfile(folder / 'data.py')


def write_python(path, config, header=''):
    """A config as a file, without the seconds that the host takes to print it prettily."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{name} = {value!r}\n' for name, value in config.to_dict().items()]
    path.write_text(f'"""{header}"""\n' + ''.join(lines))
