"""nibabel without pydicom, which it loads if it is installed: a quarter of a second of a command that reads NIfTI."""

from __future__ import annotations

import sys


def load_nibabel() -> None:
    """Load nibabel, if nobody has, as if pydicom were absent.

    For processes that are Cormack's own: nibabel keeps to what it found, so that a program which looks into the DICOM
    extension of a NIfTI header would find bytes in place of a data set.
    """
    if "nibabel" in sys.modules or "pydicom" in sys.modules:
        return
    # What is None here counts as absent (Python language reference 5.3.1).
    sys.modules["pydicom"] = None  # type: ignore[assignment]
    try:
        import nibabel  # noqa: F401
    finally:
        del sys.modules["pydicom"]
