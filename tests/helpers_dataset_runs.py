"""Shipped configs of the data sets on small downloads, converted by the documented commands.

The tests work in a folder that looks as the documentation says, ``data/`` and ``body_models/`` with
small files of known truth in them, so that documented commands and shipped configs run as they are.
"""

import importlib.util
import re
import shlex
from pathlib import Path

import helpers_freihand
import numpy as np
from helpers_coco import write_coco
from helpers_freihand import write_freihand
from helpers_gendered import toy_bodies
from helpers_human36m import write_human36m
from helpers_muco import write_muco
from helpers_official_files import official_arrays, write_python2_pickle
from helpers_pw3d import write_pw3d
from helpers_runs import ROOT, TINY_PX, is_second_stage, write_first_stage
from helpers_surreal import write_surreal
from helpers_toy_body import toy_body_data
from mmpose.registry import DATASETS

from i2l_plugin.apis.runner import load_config
from i2l_plugin.body_models import load_body_model

DOCUMENT = ROOT / 'tools/dataset_converters/README.md'
DATASET_CONFIGS, ROOTNET_CONFIGS = (
    sorted(
        path
        for name in ('h36m', 'surreal', 'freihand')
        for path in (ROOT / 'configs').glob(f'*/{network}_*_{name}-*.py')
    )
    for network in ('i2l-meshnet', 'rootnet')
)
TRAINED_ON = 8  # samples of each data set


def config_named(end):
    """The shipped config of a data set whose name ends so."""
    (path,) = (path for path in DATASET_CONFIGS if path.stem.endswith(end))
    return path


def bash_commands(text):
    """Commands of all ``bash`` blocks of a Markdown text, as lists of words."""
    commands = []
    for block in re.findall(r'```bash\n(.*?)```', text, re.DOTALL):
        lines = block.replace('\\\n', ' ').splitlines()
        commands += [shlex.split(line, comments=True) for line in lines]
    return [command for command in commands if command]


def convert_as_documented(name, also=(), splits=None):
    """Run the first documented command of each split of a converter, in this process and folder.

    Args:
        name: Of the converter.
        also: Words that a command must have.
        splits: These alone.
    """
    script = f'tools/dataset_converters/{name}.py'
    done = set()
    for command in bash_commands(DOCUMENT.read_text()):
        if command[:2] != ['python', script] or not set(also) <= set(command):
            continue
        split = command[command.index('--split') + 1]
        if split not in done and split in (splits or [split]):
            importlib.import_module(name).main(command[2:])
        done.add(split)
    assert done, f'{DOCUMENT} has no command of {script} with {also}'


def write_body_models(folder):
    """SMPL's and MANO's files, as downloaded, where the configs look. -> toy bodies by gender."""
    bodies = {**toy_bodies(), 'n': toy_body_data()}
    names = {'n': 'NEUTRAL', 'm': 'MALE', 'f': 'FEMALE'}
    models = {f'smpl/SMPL_{names[gender]}': data for gender, data in bodies.items()}
    models['mano/MANO_RIGHT'] = load_body_model('hand', 'open')  # has MANO's 778 vertices
    for name, data in models.items():
        path = folder / f'body_models/{name}.pkl'
        path.parent.mkdir(parents=True, exist_ok=True)
        surface = {  # official files leave these to their known vertices, which toys do not have
            'surface_joint_names': np.array(list(data.vertex_ids)),
            'surface_joint_vertices': np.array(list(data.vertex_ids.values())),
        }
        write_python2_pickle(path, {**official_arrays(data), **surface})
    rows = bodies['n'].regressors['h36m_17']
    np.save(folder / 'body_models/J_regressor_h36m_correct.npy', rows)
    return bodies


def write_downloads(folder, bodies, monkeypatch):
    """All six data sets below ``folder/data``. -> their truths by the names of the converters."""
    data = folder / 'data'
    hands = data / 'freihand'
    return {
        'human36m': write_human36m(data / 'Human36M', bodies['n']),
        'coco': write_coco(data / 'coco'),
        'muco': write_muco(data / 'MuCo', bodies['n']),
        'pw3d': write_pw3d(data / '3DPW', bodies, splits=('test',)),
        'surreal': write_surreal(data / 'SURREAL', bodies),
        'freihand': {split: write_hands(hands, split, monkeypatch) for split in ('train', 'eval')},
    }


def write_hands(folder, split, monkeypatch, published=True):
    """A split of FreiHAND with the open hand, which has MANO's 778 vertices. -> its truth"""
    hand = load_body_model('hand', 'open')
    monkeypatch.setattr(helpers_freihand, 'toy_body_data', lambda kind='hand': hand)  # noqa: ARG005
    folder.mkdir(parents=True, exist_ok=True)
    return write_freihand(folder, split=split, published=published)


def members(dataset):
    """Configs of the innermost data sets."""
    groups = dataset.get('datasets')
    if groups is None:
        return [dataset]
    return [one for group in groups for one in (group if isinstance(group, list) else [group])]


def shrunk(path, work_dir, options=None, train=True):
    """A shipped config with a network of 8 channels for 64 x 64 px, two iterations an epoch.

    Data sets, body models, losses, augmentation, hooks and metrics stay as shipped. A second stage
    starts from random weights of its first one.

    Args:
        path: Of the config.
        work_dir: Of the run.
        options: As `--cfg-options`.
        train: Whether training data are there.
    """
    config = load_config(str(path), options)
    model, trunk = config.model, {'depth': 18, 'stem_channels': 8, 'base_channels': 8}
    model.codec.update(input_size=(TINY_PX, TINY_PX), heatmap_size=(TINY_PX // 4,) * 3)
    for part in {'backbone', 'mesh_backbone'} & set(model):
        if model[part] is not None:
            model[part].update(trunk)
            init_cfg = model[part].pop('init_cfg')
            expected = None if is_second_stage(path) else 'torchvision://resnet50'
            assert (init_cfg and init_cfg.checkpoint) == expected
    for part in {'pose_head', 'mesh_head', 'root_head'} & set(model):
        if model[part] is not None and model[part].type == 'ParameterHead':
            model[part].hidden_units = 64
        elif model[part] is not None:
            model[part].up_channels = 8
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(batch_size=2, num_workers=0)
        for member in members(loader.dataset):
            for step in member.pipeline:
                if step.type == 'TopdownAffine':
                    step.input_size = (TINY_PX, TINY_PX)
            if split == 'train':
                member.indices = TRAINED_ON
    if train:
        loader = config.train_dataloader
        loader.batch_size = len(DATASETS.build(loader.dataset)) // 2
    config.train_cfg.max_epochs = 1
    config.default_hooks.logger.interval = 1
    # The host names a run by its second, and writes runs of one name into one file.
    config.experiment_name = '-'.join(Path(work_dir).parts[-2:])
    config.work_dir = str(work_dir)
    if is_second_stage(path):
        write_first_stage(config, work_dir / 'first_stage.pth')
    return config


def load_tool(path):
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.rsplit('/', 1)[-1][:-3], ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
