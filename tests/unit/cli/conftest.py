import pytest
from commands import Terminal


@pytest.fixture
def treplica(capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line, called in this process."""
    return Terminal(capsys)
