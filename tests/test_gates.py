"""Every gate bites: a planted violation fails under the project's own configuration; without it the tree passes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def call(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in `folder`, its `src` first on the path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    environment["PYTHONPATH"] = str(folder / "src")
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package with the project's configuration."""
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PROJECT_ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def plant(house: Path, module: str, text: str) -> None:
    """Add lines to a module of the copy, or make it."""
    path = house / "src" / "cormack" / module
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as f:
        f.write(text)


UPWARD = "\nfrom cormack.pipeline.options import RunOptions\n"
SIDEWARD = "\nfrom cormack.files.nifti import read_stack\n"
IMPORTS = {
    "upward": ("core/errors.py", UPWARD, "A room uses only the floors below it"),
    "sideward": ("dicom/read.py", SIDEWARD, "A room uses only the floors below it"),
    "unlisted room": ("attic/__init__.py", '"""A room without a floor."""\n', "A room uses only the floors below it"),
    "pictures": ("extract/head.py", "\nimport PIL\n", "Plotting only in report"),
    "plotting": ("measure/volumes.py", "\nimport matplotlib\n", "Plotting only in report"),
    "dicom in core": ("core/volume.py", "\nimport pydicom\n", "DICOM only in dicom, terminal only in cli"),
    "registration engine": ("pipeline/convert.py", "\nimport ants\n", "ANTs only in register"),
    "terminal": ("pipeline/run.py", "\nimport click\n", "DICOM only in dicom, terminal only in cli"),
}


def test_import_contracts_bite(house: Path) -> None:
    clean = call(house, "lint-imports", "--no-cache")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    for module, text, contract in IMPORTS.values():
        plant(house, module, text)
        found = call(house, "lint-imports", "--no-cache")
        path = house / "src" / "cormack" / module
        original = PROJECT_ROOT / "src" / "cormack" / module
        shutil.copy(original, path) if original.exists() else shutil.rmtree(path.parent)
        assert found.returncode == 1, f"{module}: {found.stdout}{found.stderr}"
        assert f"{contract} BROKEN" in found.stdout


LINT = {
    "print": ('\n\ndef shout() -> None:\n    """Shout."""\n    print("!")\n', "T201"),
    "assert": ('\n\ndef check(x: int) -> None:\n    """Check."""\n    assert x\n', "S101"),
    "no docstring": ("\n\ndef silent() -> None:\n    pass\n", "D103"),
    "blind except": (
        '\n\ndef f() -> None:\n    """Swallow."""\n    try:\n        f()\n    except Exception:\n        ...\n',
        "BLE001",
    ),
    "exit": ('\n\nimport sys\n\ndef leave() -> None:\n    """Leave."""\n    sys.exit(1)\n', "TID251"),
    "environment": ('\n\nimport os\n\nHOME = os.environ["HOME"]\n', "TID251"),
}


@pytest.mark.parametrize(("text", "rule"), LINT.values(), ids=LINT.keys())
def test_lint_bites(house: Path, text: str, rule: str) -> None:
    clean = call(house, "ruff", "check", "--no-cache", "src/cormack/core/errors.py")
    assert clean.returncode == 0, clean.stdout
    plant(house, "core/errors.py", text)
    found = call(house, "ruff", "check", "--no-cache", "src")
    assert found.returncode == 1
    assert rule in found.stdout


def test_format_bites(house: Path) -> None:
    assert call(house, "ruff", "format", "--no-cache", "--check", "src/cormack/core/errors.py").returncode == 0
    plant(house, "core/errors.py", "\nx   =  {'a':1}\n")
    assert call(house, "ruff", "format", "--no-cache", "--check", "src").returncode == 1


def test_types_bite(house: Path) -> None:
    # The ground floor alone: what is tested is the configuration, and the whole house takes long.
    for room in (house / "src" / "cormack").iterdir():
        if room.is_dir() and room.name != "core":
            shutil.rmtree(room)
    (house / "src" / "cormack" / "__main__.py").unlink()
    (house / "src" / "cormack" / "__init__.py").write_text('"""The ground floor alone."""\n')
    clean = call(house, "mypy", "--cache-dir", ".cache")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    plant(house, "core/errors.py", "\n\ndef untyped(x):\n    return x\n\n\ndef wrong() -> int:\n    return 'one'\n")
    found = call(house, "mypy", "--cache-dir", ".cache")
    assert found.returncode == 1
    assert "[no-untyped-def]" in found.stdout
    assert "[return-value]" in found.stdout


TESTED = '"""A module."""\n\n\ndef double(x):\n    """Twice x."""\n    return 2 * x\n'
UNTESTED = '"""Never run."""\n\n\ndef f(x):\n    if x:\n        return 1\n    return 2\n'
A_TEST = "from cormack.tested import double\n\n\ndef test_double():\n    assert double(2) == 4\n"


def test_coverage_floor_bites(tmp_path: Path) -> None:
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "cormack"
    package.mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (package / "__init__.py").write_text('"""A package."""\n')
    (package / "tested.py").write_text(TESTED)
    (tmp_path / "tests" / "test_tested.py").write_text(A_TEST)
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cov", "--cov-report=term")
    clean = call(tmp_path, *command)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    (package / "untested.py").write_text(UNTESTED)
    found = call(tmp_path, *command)
    assert found.returncode != 0
    assert "Required test coverage of 90" in found.stdout + found.stderr


def test_warnings_are_errors(tmp_path: Path) -> None:
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_warns.py").write_text(
        "import warnings\n\n\ndef test_warns():\n    warnings.warn('old', DeprecationWarning)\n"
    )
    found = call(tmp_path, sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    assert found.returncode == 1
    assert "DeprecationWarning: old" in found.stdout
