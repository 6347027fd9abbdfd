"""How far a record's fitted bodies are from its annotated joints (paper, Table 13).

python tools/evaluate_fits.py RECORD.npz --body-model SMPL_NEUTRAL.pkl \\
    --h36m-regressor J_regressor_h36m_correct.npy [--protocol h36m/paper] [--out scores.json]

Table 13 gives 13.1 mm for the fits to Human3.6M. MPJPE and PA-MPJPE are over the joints that the
joint set's protocol averages over; "means aligned" is over all joints that record and body model
share, as the converters' fit_error_mm, by which data sets trust fits up to 25 mm. The error in px
needs no depth.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dataset_converters.converter_core.fit_error import DEFAULT_MAX_FIT_ERROR_MM
from dataset_converters.converter_core.fit_quality import (
    JOINT_SETS,
    compared_joints,
    evaluate,
    joint_poser,
    summary,
)
from dataset_converters.converter_core.progress import MODES, Progress

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.body_models import H36M_17, load_body_model
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.person_selection import select_persons
from i2l_plugin.files import write_json
from i2l_plugin.protocols import get_protocol

GENDERS = {'m': 'male', 'f': 'female'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('record', help='canonical record (.npz) of a data set')
    parser.add_argument(
        '--body-model',
        metavar='FILE',
        help="SMPL or MANO file that the fits are of, or 'open' (default, unless by gender)",
    )
    for name in GENDERS.values():
        parser.add_argument(
            f'--body-model-{name}', metavar='FILE', help=f'that of {name} people, if another'
        )
    parser.add_argument(
        '--regressor',
        choices=sorted(s.name for sets in JOINT_SETS.values() for s in sets),
        help='compared joints (default: those that the record annotates); smpl_24 are the centres '
        'of rotation, the others are regressed from the mesh',
    )
    parser.add_argument('--h36m-regressor', metavar='FILE', help='J_regressor_h36m_correct.npy')
    parser.add_argument('--protocol', metavar='NAME', help='its people only, e.g. h36m/paper')
    parser.add_argument(
        '--within', type=float, nargs='+', metavar='MM', default=[DEFAULT_MAX_FIT_ERROR_MM]
    )
    parser.add_argument('--out', metavar='FILE', help='scores as JSON')
    parser.add_argument('--progress', choices=MODES, default='auto')
    return parser.parse_args()


def model_files(args: argparse.Namespace, genders: Sequence[str]) -> dict[str, str]:
    """Body-model file by gender, for all genders that the fits have (``'n'`` without genders).

    Raises:
        ValueError: Files by gender were given, but not those that are needed.
    """
    given = {gender: getattr(args, f'body_model_{name}') for gender, name in GENDERS.items()}
    if not any(given.values()):
        return dict.fromkeys(genders, args.body_model or 'open')
    files = {**given, 'n': args.body_model}
    lacking = [gender for gender in genders if not files[gender]]
    if lacking:
        options = ['--body-model' + (f'-{GENDERS[g]}' if g in GENDERS else '') for g in lacking]
        raise ValueError(f'there are fits of gender {lacking}: give {", ".join(options)} as well')
    return {gender: files[gender] for gender in genders}


def text_of(scores: Mapping[str, Any]) -> str:
    """The scores for people to read."""
    lines = [f'{scores["N_fits"]} fits, {scores["N"]} with all joints annotated in 3D']
    if scores['N']:
        lines += [
            f'MPJPE {scores["MPJPE"]:.2f} mm, PA-MPJPE {scores["PA-MPJPE"]:.2f} mm '
            f'(N = {scores["N"]})',
            f'means aligned {scores["means_aligned"]:.2f} mm, median '
            f'{scores["means_aligned_median"]:.2f} mm; '
            + ', '.join(f'{share:.1%} within {mm} mm' for mm, share in scores['within'].items()),
        ]
    if scores['N_px']:
        lines.append(
            f'in the picture {scores["px"]:.2f} px, median {scores["px_median"]:.2f} px '
            f'(N = {scores["N_px"]})'
        )
    return '\n'.join(lines)


@one_line_errors
def main() -> None:
    args = parse_args()
    record = AnnotationRecord.load(args.record)
    protocol = None if args.protocol is None else get_protocol(args.protocol)
    rows = np.flatnonzero(record['fit_valid'] & select_persons(record, protocol))
    if not len(rows):
        raise ValueError(f'{args.record}: nobody of it has a fitted body model; nothing to compare')
    compared = compared_joints(record, args.regressor)
    genders = np.full(len(rows), 'n')
    if 'gender' in record.optional_columns:
        genders = record['gender'][rows].astype(str)
    elif args.body_model_male or args.body_model_female:
        raise ValueError(f'{args.record}: has no genders; give --body-model alone')
    files = model_files(args, np.unique(genders).tolist())
    regressor_files = {H36M_17.name: args.h36m_regressor} if args.h36m_regressor else None
    models = {
        file: load_body_model(record.kind, file, regressor_files=regressor_files)
        for file in dict.fromkeys(files.values())
    }
    posers = {file: joint_poser(data, compared) for file, data in models.items()}
    by_gender = {gender: posers[file] for gender, file in files.items()}
    errors = evaluate(record, rows, by_gender, genders, compared, Progress(args.progress))
    scores = summary(errors, args.within)
    print(f'{args.record}: {len(compared.names)} joints of {compared.joint_set.name}')
    if len(set(files)) > 1 and len(models) == 1:
        print(f'WARNING: one body model poses people of genders {sorted(files)}, whose shape')
        print('coefficients mean other bodies in it; give --body-model-male and -female')
    print(text_of(scores))
    if args.out:
        choices = {
            'record': args.record,
            'protocol': args.protocol,
            'body_models': files,
            'regressor': compared.joint_set.name,
            'joints': compared.names,
            'evaluated_joints': [compared.names[i] for i in compared.evaluated],
        }
        write_json({**choices, **scores}, args.out, indent=2)


if __name__ == '__main__':
    main()
