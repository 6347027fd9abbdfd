"""What the command-line tools and Python users call.

For people with pictures: `MeshInferencer`, or `init_model` and `infer_meshes`. They are imported
when they are first used, since they bring all of MMPose.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    'MeshInferencer': 'mesh_inferencer',
    'infer_meshes': 'functions',
    'init_model': 'loading',
}
__all__ = ['MeshInferencer', 'infer_meshes', 'init_model']


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'.inference.{_PLACES[name]}', __name__), name)
