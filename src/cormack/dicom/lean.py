"""pydicom without what it loads only because it happens to be installed: 0.1 s of a conversion of half a second."""

from __future__ import annotations

import sys

#: Found by pydicom when it is loaded, for downloads, colour and codecs that reading a scan leaves to others: JPEG
#: streams go to GDCM in processes of its own (see `decoders`).
UNUSED = ("requests", "tqdm", "gdcm", "PIL", "jpeg_ls")


def load_pydicom() -> None:
    """Load pydicom, if nobody has, as if the packages it does not need here were absent.

    For processes that do nothing but read: pydicom keeps to what it found, so that a program which decodes images by
    pydicom itself would miss them.
    """
    if "pydicom" in sys.modules:
        return
    hidden = [name for name in UNUSED if name not in sys.modules]
    # What is None here counts as absent (Python language reference 5.3.1).
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        import pydicom  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
