"""A folder with all six data sets, downloaded, small, and converted as documented, made once."""

from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def converted_datasets(tmp_path_factory):
    """The folder, and what is true of its data sets by the name of their converters."""
    from helpers_dataset_runs import convert_as_documented, write_body_models, write_downloads

    folder = tmp_path_factory.mktemp('datasets')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        truths = write_downloads(Path(), write_body_models(Path()), patch)
        for name in truths:
            convert_as_documented(name)
    return folder, truths


@pytest.fixture
def truths(converted_datasets, monkeypatch):
    """What is true of the data sets; the test works in their folder."""
    from mmengine.registry import DefaultScope

    folder, truths = converted_datasets
    monkeypatch.chdir(folder)
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield truths
