"""Templates by name: from a folder that the user gives, from the package that ships them, or fetched once and kept."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib import resources
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from scipy import ndimage

from cormack.core.errors import DependencyError, InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import read_stack
from cormack.files.outputs import OutputSet
from cormack.pipeline.load import file_sha256
from cormack.pipeline.progress import Progress
from cormack.register.templates import TEMPLATES, Template, TemplateEntry, TemplateFile

#: Seconds after which a server that says nothing is given up.
TIMEOUT_S = 30
#: No file of a template is larger than this.
MAX_BYTES = 100_000_000


def template_cache() -> Path:
    """Where fetched templates are kept."""
    return Path.home() / ".cache" / "cormack" / "templates"


def load_template(name: str, *, folder: Path | None = None, progress: Progress) -> Template:
    """Read a template by its name.

    Parameters
    ----------
    name : str
        A key of `cormack.register.templates.TEMPLATES`.
    folder : Path, optional
        Where its files lie under their own names; they are taken as they are. Without it, files come from the package
        that ships them, or from the cache, into which they are fetched on first use; they must have the known SHA-256.
    progress : Progress

    Raises
    ------
    InputError
        If the name is unknown, or a file is missing, cannot be fetched, or is not the one expected.
    """
    entry = TEMPLATES.get(name)
    if entry is None:
        raise InputError(f"template {name!r}: known are {', '.join(TEMPLATES)}; or give a file")
    image = _volume(_file(entry, entry.image, folder, progress))
    brain = image if entry.brain == entry.image else _volume(_file(entry, entry.brain, folder, progress))
    if brain.shape != image.shape or not np.allclose(brain.affine, image.affine, atol=1e-3):
        raise InputError(f"template {name!r}: {entry.image.name} and {entry.brain.name} are not on one grid")
    mask = ndimage.binary_fill_holes(brain.data > entry.brain_level)
    labels = LabelMap(mask.astype(np.uint8), image.affine, BRAIN, f"brain of the template {entry.title}")
    return Template(entry, _in_units(image, entry), labels)


def _volume(path: Path) -> Volume:
    return read_stack(path, assume_mm=True)[0].to_volume()


def _in_units(image: Volume, entry: TemplateEntry) -> Volume:
    data = image.data.astype(np.float32)
    if entry.hu is None:
        return image.with_data(data, unit=Unit.ARBITRARY, outside=0.0)
    slope, intercept = entry.hu
    return image.with_data(data * np.float32(slope) + np.float32(intercept), unit=Unit.HU, outside=intercept)


def _file(entry: TemplateEntry, file: TemplateFile, folder: Path | None, progress: Progress) -> Path:
    if folder is not None and entry.package is None:
        path = folder / file.name
        if not path.is_file():
            raise InputError(f"{folder}: no {file.name} there, which the template {entry.name!r} needs")
        return path
    path = _packaged(entry, file) if entry.package else template_cache() / entry.name / file.name
    if not path.is_file() and file.url:
        progress.note(f"fetching {file.name} of the template {entry.name!r} ({entry.licence}) from {file.url}")
        fetch(file, path)
    if file_sha256(path) != file.sha256:
        raise InputError(
            f"{path}: not the file that the template {entry.name!r} is made of (SHA-256 differs); remove it, so that "
            "it is fetched again, or install the package again"
        )
    return path


def _packaged(entry: TemplateEntry, file: TemplateFile) -> Path:
    package = entry.package or ""
    try:
        path = Path(str(resources.files(package))) / file.name
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"template {entry.name!r} comes with the package {package} (pip install {package})"
        ) from error
    if not path.is_file():
        raise InputError(f"template {entry.name!r}: this version of {package} does not ship it; give a file instead")
    return path


def fetch(file: TemplateFile, path: Path) -> None:
    """Fetch a file of a template and keep it, if it is the one expected.

    Raises
    ------
    InputError
        If there is no network, or what comes is another file; then nothing is kept.
    """
    advice = "give the template's folder (--template-dir), or a file"
    try:
        with urlopen(file.url or "", timeout=TIMEOUT_S) as answer:
            content = answer.read(MAX_BYTES)
    except (URLError, OSError, ValueError) as error:
        raise InputError(f"{file.url}: cannot be fetched ({type(error).__name__}); {advice}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InputError(f"{file.url}: another file than expected came (SHA-256 differs); nothing was kept; {advice}")
    with OutputSet(path.parent) as outputs, suppress(FileExistsError):
        outputs.part(path.name).write_bytes(content)
