import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def _host_scope():
    """Pipelines find the host's transforms, as under a config's ``default_scope``."""
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield
