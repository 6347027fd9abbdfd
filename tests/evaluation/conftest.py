import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def warnings(monkeypatch):
    """What the metrics warn of."""
    texts = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', texts.append)
    return texts
