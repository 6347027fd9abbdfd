"""Table 13: how far a data set's fitted bodies are from its annotated joints.

``tools/evaluate_fits.py`` measures it on every training record of a config.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .data import members
from .workers import run_command

PAPER_MPJPE_MM = 13.1
"""SMPLify-X on Human3.6M's true joints, with the joints of Human3.6M's regressor."""
_GENDERS = {'m': 'male', 'f': 'female'}


def fit_quality(data: Config, tool: Path, out: Path) -> dict[str, Any]:
    """Scores of the fits of every training record, by the record's name.

    Args:
        data: Config of a data set.
        tool: ``evaluate_fits.py``.
        out: Folder for its files.

    Raises:
        ValueError: The tool refused a record; names the log.
    """
    scores = {}
    for number, member in enumerate(members(data.train_dataloader.dataset)):
        record = Path(member.get('data_root', '')) / member['ann_file']
        path = out / f'{number}.json'
        options = [record, *_body_options(data), '--out', path, '--progress', 'off']
        if member.get('protocol'):
            options += ['--protocol', member['protocol']]
        run_command(tool, *options, log=path.with_suffix('.log'))
        scores['/'.join(record.parts[-2:])] = json.loads(path.read_text())
    return scores


def _body_options(data: Config) -> Iterator[str]:
    """The body models that the config's fits are of."""
    model = data.model.body_model
    yield from ('--body-model', model.get('path', 'open'))
    for gender, options in data.model.get('truth_body_models', {}).items():
        if gender in _GENDERS:
            yield from (f'--body-model-{_GENDERS[gender]}', options['path'])
    evaluators = data.test_evaluator
    regressors = [m.get('body_model', {}).get('regressor_files', {}) for m in evaluators]
    for files in regressors:
        if 'h36m_17' in files:
            yield from ('--h36m-regressor', files['h36m_17'])
            return


def fits_markdown(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """Table 13, the paper's number first."""
    lines = [
        '## Table 13: quality of the fits',
        '',
        '| fits | people | MPJPE | PA-MPJPE |',
        '| --- | --- | --- | --- |',
        f'| paper: SMPLify-X from true 3D pose (Human3.6M) | - | {PAPER_MPJPE_MM} | - |',
    ]
    for record, values in scores.items():
        errors: Sequence[str] = ['-', '-']
        if values['N']:
            errors = [f'{values[name]:.1f}' for name in ('MPJPE', 'PA-MPJPE')]
        lines.append(f'| {record} | {values["N_fits"]} | {" | ".join(errors)} |')
    return '\n'.join(lines) + '\n'
