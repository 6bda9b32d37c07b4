"""Importing is cheap: heavy packages are loaded by the function that needs them, not by a name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cormack.pipeline.phantom import make_phantom_series

HEAVY = {
    "torch",
    "matplotlib",
    "onnxruntime",
    "openvino",
    "scipy",
    "skimage",
    "pydicom",
    "gdcm",
    "nibabel",
    "jinja2",
    "PIL",
    "contourpy",
    "pyarrow",
    "numpy",
}


def loaded_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running `code`."""
    code += "\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import cormack") & (HEAVY | {"click", "rich"}) == set()


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["run", "--help"], ["extract", "brain", "--help"], ["train", "--help"]]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = "\n".join(
        (
            "import contextlib, io",
            "from cormack.cli.main import main",
            "with contextlib.redirect_stdout(io.StringIO()):",
            f"    code = main({words})",
            "assert code == 0",
        )
    )
    assert loaded_after(code) & HEAVY == set()


def test_one_name_of_the_facade_loads_only_what_it_needs() -> None:
    loaded = loaded_after("from cormack import hu_to_cormack")
    assert "numpy" in loaded
    assert loaded & {"matplotlib", "pydicom", "nibabel", "scipy"} == set()


def test_what_extracts_loads_neither_dicom_nor_pages() -> None:
    """They come with a DICOM folder, and with a report."""
    assert loaded_after("import cormack.pipeline.extract") & {"pydicom", "jinja2", "PIL", "ants"} == set()


def test_converting_in_a_process_of_its_own_loads_only_what_it_uses(tmp_path: Path) -> None:
    """And what pydicom was kept from stays within reach of everybody else."""
    make_phantom_series(tmp_path / "in", slices=5, pixels=64)
    code = "\n".join(
        (
            "import sys",
            f"sys.argv = ['cormack', 'convert', '-q', {str(tmp_path / 'in')!r}, {str(tmp_path / 'out.nii.gz')!r}]",
            "from cormack.cli.main import main",
            "assert main() == 0",
            "loaded = set(sys.modules)",
            "import gdcm, PIL.Image",
            "for name in set(sys.modules) - loaded: del sys.modules[name]",
        )
    )
    loaded = loaded_after(code)
    assert loaded & {"nibabel", "gdcm", "PIL", "requests", "jinja2", "rich"} == set()
    assert "pydicom" in loaded
    assert (tmp_path / "out.nii.gz").is_file()


def test_reading_nifti_in_a_process_of_its_own_leaves_pydicom_aside(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.eye(4))
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "in.nii.gz")
    code = "\n".join(
        (
            "import sys",
            f"sys.argv = ['cormack', 'extract', 'brain', {str(tmp_path / 'in.nii.gz')!r}, 'out.nii.gz']",
            "from cormack.cli.main import main",
            "assert main() == 1",
            "assert 'nibabel' in sys.modules and 'pydicom' not in sys.modules",
            "import pydicom",
            "assert pydicom.Dataset",
        )
    )
    assert {"nibabel", "pydicom"} <= loaded_after(code)


def test_pydicom_that_is_loaded_already_is_left_alone() -> None:
    code = "import pydicom\nfrom cormack.dicom.lean import load_pydicom\nload_pydicom()"
    assert {"pydicom", "gdcm"} <= loaded_after(code)
