"""Reading SMPL and MANO files: official ``.pkl`` (no chumpy, nothing executed) or ``.npz``.

Keys are the official ones: v_template, f, shapedirs, posedirs, weights, J_regressor, kintree_table
and, for hands, hands_mean. The embedded open models add `J_regressor_<joint set>` (R, V),
`surface_joint_names` with `surface_joint_vertices`, and `vertex_mirror` (V,).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .joint_sets import get_joint_set
from .model_data import NUM_BETAS, POSED_JOINTS, BodyModelData
from .safe_pickle import as_array, restricted_load

_FINGERS = ('Thumb4', 'Index4', 'Middle4', 'Ring4', 'Pinky4')
# Vertices of the official topologies: face points of SMPL, finger tips of MANO as the I2L-MeshNet
# release takes them and as FreiHAND's own evaluation does.
SMPL_FACE_POINTS = {'Nose': 331, 'L_Eye': 2802, 'R_Eye': 6262, 'L_Ear': 3489, 'R_Ear': 3990}
MANO_FINGER_TIPS = {
    'release': dict(zip(_FINGERS, (745, 317, 444, 556, 673), strict=True)),
    'freihand': dict(zip(_FINGERS, (744, 320, 443, 555, 672), strict=True)),
}
OPEN_MODELS = Path(__file__).parent / 'data'
_REQUIRED = ('v_template', 'f', 'shapedirs', 'posedirs', 'weights', 'J_regressor', 'kintree_table')
_EXTRA_REGRESSOR = 'J_regressor_'


def load_body_model(
    kind: str,
    path: str | Path = 'open',
    finger_tips: str = 'release',
    regressor_files: Mapping[str, str | Path] | None = None,
) -> BodyModelData:
    """Arrays of a body or hand model, checked to be of that kind.

    Args:
        kind: ``'body'`` or ``'hand'``.
        path: ``'open'`` for the embedded model, else a ``.pkl`` or ``.npz`` file.
        finger_tips: ``'release'`` or ``'freihand'``, see `MANO_FINGER_TIPS`; used where the file
            does not name its own finger-tip vertices.
        regressor_files: ``.npy`` files of extra (R, V) joint regressors by joint-set name, e.g.
            ``{'h36m_17': 'J_regressor_h36m_correct.npy'}``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Unknown `kind` or `finger_tips`, or the file holds another kind of model.
    """
    if kind not in POSED_JOINTS:
        raise ValueError(f"kind must be 'body' or 'hand', got {kind!r}")
    file = OPEN_MODELS / f'open_{kind}.npz' if str(path) == 'open' else Path(path)
    data = load_body_model_file(file, finger_tips, regressor_files)
    if data.kind != kind:
        raise ValueError(
            f'{file} is a {data.kind} model ({len(data.parents)} joints), not a {kind}'
        )
    return data


def load_body_model_file(
    path: str | Path,
    finger_tips: str = 'release',
    regressor_files: Mapping[str, str | Path] | None = None,
) -> BodyModelData:
    """Arrays of an SMPL (24 joints) or MANO (16 joints) file; arguments of `load_body_model`.

    Files with more than 10 shape directions (SMPL v1.1.0 has 300) give their first 10.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file cannot be read safely, lacks a key or holds a wrong shape.
    """
    path = Path(path)
    if finger_tips not in MANO_FINGER_TIPS:
        raise ValueError(
            f'finger_tips must be one of {sorted(MANO_FINGER_TIPS)}, got {finger_tips!r}'
        )
    arrays = read_arrays(path)
    missing = [key for key in _REQUIRED if key not in arrays]
    if missing:
        raise ValueError(f'{path} is no SMPL or MANO model: it lacks {missing}')
    try:
        return _body_model_data(arrays, finger_tips, regressor_files or {})
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _body_model_data(
    arrays: Mapping[str, Any], finger_tips: str, regressor_files: Mapping[str, str | Path]
) -> BodyModelData:
    template = _floats(arrays, 'v_template')
    parents = as_array(arrays['kintree_table'])[0].astype(np.int64)
    parents[0] = -1  # stored as 2**32 - 1
    kinds = {len(joint_set): kind for kind, joint_set in POSED_JOINTS.items()}
    if len(parents) not in kinds:
        raise ValueError(f'kintree_table has {len(parents)} joints; SMPL has 24 and MANO 16')
    kind = kinds[len(parents)]
    shapedirs = _floats(arrays, 'shapedirs')
    if shapedirs.ndim != 3 or shapedirs.shape[-1] < NUM_BETAS:
        raise ValueError(f'shapedirs must be (V, 3, >= {NUM_BETAS}), got {shapedirs.shape}')
    regressors = {
        key.removeprefix(_EXTRA_REGRESSOR): _floats(arrays, key)
        for key in arrays
        if key.startswith(_EXTRA_REGRESSOR) and key != f'{_EXTRA_REGRESSOR}prior'
    }
    for name, file in regressor_files.items():
        regressors[name] = _read_regressor(Path(file), name, len(template))
    mirror = as_array(arrays['vertex_mirror']) if 'vertex_mirror' in arrays else None
    return BodyModelData(
        kind=kind,
        v_template=template,
        faces=as_array(arrays['f']).astype(np.int64),
        shapedirs=shapedirs[..., :NUM_BETAS],
        posedirs=_floats(arrays, 'posedirs'),
        weights=_floats(arrays, 'weights'),
        j_regressor=_floats(arrays, 'J_regressor'),
        parents=parents,
        hands_mean=_floats(arrays, 'hands_mean') if kind == 'hand' else None,
        regressors=regressors,
        vertex_ids=_vertex_ids(arrays, kind, finger_tips),
        vertex_mirror=None if mirror is None else mirror.astype(np.int64),
    )


def _floats(arrays: Mapping[str, Any], key: str) -> np.ndarray:
    if key not in arrays:
        raise ValueError(f'it lacks {key!r}')
    try:
        return as_array(arrays[key]).astype(np.float32)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise ValueError(f'{key} is not an array of numbers: {error}') from error


def _vertex_ids(arrays: Mapping[str, Any], kind: str, finger_tips: str) -> dict[str, int]:
    if 'surface_joint_names' not in arrays:
        return dict(SMPL_FACE_POINTS if kind == 'body' else MANO_FINGER_TIPS[finger_tips])
    names = as_array(arrays['surface_joint_names'])
    vertices = as_array(arrays['surface_joint_vertices'])
    return {str(name): int(vertex) for name, vertex in zip(names, vertices, strict=True)}


def _read_regressor(path: Path, name: str, num_vertices: int) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f'no joint regressor {name!r} at {path}')
    try:
        rows = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f'joint regressor {name!r} at {path} is no .npy file: {error}') from error
    expected = (len(get_joint_set(name)), num_vertices)
    shape = getattr(rows, 'shape', type(rows).__name__)
    if shape != expected:
        raise ValueError(f'{path}: regressor {name!r} must be {expected}, got {shape}')
    return rows.astype(np.float32)


def read_arrays(path: str | Path) -> dict[str, Any]:
    """Key -> array or inert stand-in (`safe_pickle.as_array` makes it dense) of a .pkl or .npz.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a dict of arrays, truncated, or a pickle that names anything unexpected.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'no body-model file at {path}; SMPL comes from smpl.is.tue.mpg.de, MANO from '
            "mano.is.tue.mpg.de; path='open' is the embedded model"
        )
    if path.suffix == '.npz':
        return _read_npz(path)
    with path.open('rb') as file:
        arrays = restricted_load(file, path)
    if not isinstance(arrays, dict):
        raise ValueError(f'{path} holds a {type(arrays).__name__}, expected a dict of arrays')
    return {str(key): value for key, value in arrays.items()}


def _read_npz(path: Path) -> dict[str, Any]:
    """Arrays of an archive; pickled members go through the restricted unpickler too."""
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                with archive.open(member) as file:
                    arrays[member.removesuffix('.npy')] = _read_npy(file, f'{path}:{member}')
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f'{path} is truncated or not an .npz: {error}') from error
    return arrays


def _read_npy(file: Any, name: str) -> Any:
    try:
        version = np.lib.format.read_magic(file)
    except ValueError as error:
        raise ValueError(f'{name} is not an array: {error}') from None
    if version != (1, 0):
        raise ValueError(f'{name} has .npy version {version}, expected (1, 0)')
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        return restricted_load(file, name)
    array = np.frombuffer(file.read(), dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
