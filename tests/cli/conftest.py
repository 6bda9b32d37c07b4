import sys
from pathlib import Path

import pytest

from cormack.cli.main import main
from cormack.pipeline.phantom import make_phantom_series

# Helper modules of all tests lie one folder up.
sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture(scope="session")
def phantom(tmp_path_factory):
    """A small digital head as a DICOM export (tilted slices, localizers, a dose page), and the truth about it."""
    folder = tmp_path_factory.mktemp("phantom") / "export"
    return make_phantom_series(folder, tilt_deg=-18.0, slices=36, thickness_mm=5.0, pixels=192)


@pytest.fixture(scope="session")
def export(phantom):
    """The folder of the phantom's DICOM export."""
    return phantom.folder


@pytest.fixture
def cormack(capsys):
    """Run the command line in this process; returns exit code, stdout, stderr."""

    def call(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
