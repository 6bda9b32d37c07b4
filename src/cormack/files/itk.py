"""ITK's transform files, as Insight writes them: Matlab 4 (`.mat`), text (`.tfm`, `.txt`) and, for reading, HDF5.

ITK maps points of the fixed image to the moving one, as Cormack does, in LPS+ mm. Everything that leaves this module is
RAS+.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cormack.core.errors import DependencyError, GeometryError, InputError
from cormack.core.fields import DisplacementField
from cormack.core.transforms import Affine, Transform, TransformChain
from cormack.core.volume import AnyArray, FloatArray

#: LPS+ to RAS+ and back.
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
#: What Cormack writes; every reader of ITK files knows it.
AFFINE = "AffineTransform_double_3_3"
_COMPOSITE = "CompositeTransform"
_FIELD = "DisplacementFieldTransform"
_TEXT_HEADER = "#Insight Transform File V1.0"


@dataclass(frozen=True, eq=False)
class Record:
    """One transform as a file holds it: ITK's class name without precision and dimension, and its two lists."""

    kind: str
    parameters: FloatArray
    fixed: FloatArray


def write_affine(path: Path, affine: Affine) -> None:
    """Write an affine as ITK, ANTs and Slicer read it: Matlab 4 for `.mat`, text for `.tfm` and `.txt`.

    Raises
    ------
    InputError
        If the name has another ending.
    """
    matrix = LPS @ affine.matrix @ LPS
    parameters, fixed = np.concatenate([matrix[:3, :3].ravel(), matrix[:3, 3]]), np.zeros(3)
    suffixes = set(path.suffixes)
    if ".mat" in suffixes:
        from scipy.io import savemat

        with path.open("wb") as f:
            savemat(f, {AFFINE: parameters[:, None], "fixed": fixed[:, None]}, format="4")
    elif suffixes & {".tfm", ".txt"}:
        lines = (
            f"{_TEXT_HEADER}\n#Transform 0\nTransform: {AFFINE}",
            "Parameters: " + " ".join(map(repr, parameters.tolist())),
            "FixedParameters: " + " ".join(map(repr, fixed.tolist())),
        )
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
    else:
        raise InputError(f"{path}: the name of an affine's file must end in .mat, .tfm or .txt")


def read_itk(path: Path) -> Transform:
    """Read a transform file of ITK.

    Parameters
    ----------
    path : Path
        `.mat`, `.tfm` or `.txt`; `.h5` and `.hdf5` if the package h5py is there.

    Raises
    ------
    InputError
        If the file is broken or holds a kind of transform that is not known here.
    DependencyError
        If h5py would be needed and is missing.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: not a transform file; known are {', '.join(_READERS)} and .nii.gz")
    try:
        records = reader(path)
        return _transform(path, records)
    except (OSError, ValueError, TypeError, KeyError, IndexError, GeometryError) as error:
        raise InputError(f"{path}: not a readable ITK transform file ({type(error).__name__})") from error


def _transform(path: Path, records: list[Record]) -> Transform:
    composite = bool(records) and records[0].kind == _COMPOSITE
    parts = records[1:] if composite else records
    if not parts or (len(parts) > 1 and not composite):
        raise InputError(f"{path}: {len(parts)} transforms and no word on how they follow each other; expected one")
    for record in parts:
        if record.kind not in (*_KINDS, _FIELD):
            raise InputError(f"{path}: a transform of kind {record.kind!r}; known are {', '.join(_KINDS)}, {_FIELD}")
    # ITK applies the last transform of a composite first.
    chain = [_field(r) if r.kind == _FIELD else _affine(r) for r in reversed(parts)]
    return TransformChain(tuple(chain)) if composite else chain[0]


def _affine(record: Record) -> Affine:
    """RAS+ affine of a linear transform: y = M (x − centre) + centre + translation."""
    linear, translation = _KINDS[record.kind](record.parameters, record.fixed)
    centre = record.fixed[:3] if len(record.fixed) >= 3 else np.zeros(3)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, translation + centre - linear @ centre
    return Affine(LPS @ matrix @ LPS)


def _field(record: Record) -> DisplacementField:
    size = tuple(record.fixed[:3].astype(int).tolist())
    affine = np.eye(4)
    affine[:3, :3] = record.fixed[9:18].reshape(3, 3) * record.fixed[6:9]
    affine[:3, 3] = record.fixed[3:6]
    # The components of a vector are next to each other, then i runs fastest.
    vectors = record.parameters.reshape(*size[::-1], 3).transpose(2, 1, 0, 3)
    return DisplacementField(vectors * LPS.diagonal()[:3], LPS @ affine)


def _about(axis: int, angle: float) -> FloatArray:
    """Rotation about a coordinate axis, by the right-hand rule."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[a, b], [a, b]] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def _euler(p: FloatArray, fixed: FloatArray) -> tuple[FloatArray, FloatArray]:
    x, y, z = (_about(axis, p[axis]) for axis in range(3))
    zyx = len(fixed) > 3 and fixed[3] != 0
    return (z @ y @ x if zyx else z @ x @ y), p[3:6]


def _versor(p: FloatArray) -> FloatArray:
    """Rotation of a unit quaternion, of which the vector part is given."""
    x, y, z = p[:3]
    w = np.sqrt(max(0.0, 1.0 - x * x - y * y - z * z))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + 2 * w * cross + 2 * cross @ cross)


_Linear = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

#: Linear transforms of ITK: parameters and fixed parameters to matrix and translation, LPS+.
_KINDS: dict[str, _Linear] = {
    "AffineTransform": lambda p, _: (p[:9].reshape(3, 3), p[9:12]),
    "MatrixOffsetTransformBase": lambda p, _: (p[:9].reshape(3, 3), p[9:12]),
    "Euler3DTransform": _euler,
    "VersorRigid3DTransform": lambda p, _: (_versor(p), p[3:6]),
    "Similarity3DTransform": lambda p, _: (_versor(p) * p[6], p[3:6]),
    "TranslationTransform": lambda p, _: (np.eye(3), p[:3]),
}


def _kind(name: str) -> str:
    """Class name without precision and dimensions; three dimensions only.

    Raises
    ------
    ValueError
        If it is not for three dimensions.
    """
    kind, _, dimensions = name.strip().partition("_")
    if not dimensions.endswith("3_3"):
        raise ValueError(name)
    return kind


def _read_mat(path: Path) -> list[Record]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content: dict[str, Any] = loadmat(str(path), appendmat=False)
    except MatReadError as error:
        raise ValueError from error
    names = [name for name in content if name != "fixed" and not name.startswith("__")]
    fixed = _numbers(content["fixed"])
    return [Record(_kind(name), _numbers(content[name]), fixed) for name in names]


def _read_text(path: Path) -> list[Record]:
    lines = path.read_text(encoding="ascii").splitlines()
    if not lines or lines[0].strip() != _TEXT_HEADER:
        raise ValueError("header")
    found: list[dict[str, str]] = []
    for line in lines:
        key, _, value = line.partition(":")
        if key == "Transform":
            found.append({})
        if key in ("Transform", "Parameters", "FixedParameters"):
            found[-1][key] = value
    return [
        Record(_kind(f["Transform"]), _words(f.get("Parameters", "")), _words(f.get("FixedParameters", "")))
        for f in found
    ]


def _read_h5(path: Path) -> list[Record]:
    try:
        h5py = import_module("h5py")
    except ImportError as error:
        raise DependencyError(
            f"{path}: reading HDF5 transforms needs the package h5py (pip install h5py); or write the transform as "
            ".mat and .nii.gz"
        ) from error
    with h5py.File(path, "r") as file:
        groups = file["TransformGroup"]
        return [_read_group(groups[number]) for number in sorted(groups, key=int)]


def _read_group(group: Any) -> Record:
    kind = _kind(group["TransformType"][0].decode())
    # ITK 4 misspelt the names of the lists.
    lists = {name.replace("Tranform", "Transform"): name for name in group}
    parameters, fixed = (
        _numbers(group[lists[name]][()]) if name in lists else np.zeros(0)
        for name in ("TransformParameters", "TransformFixedParameters")
    )
    return Record(kind, parameters, fixed)


def _words(text: str) -> FloatArray:
    return _numbers([float(word) for word in text.split()])


def _numbers(values: Iterable[float] | AnyArray) -> FloatArray:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise ValueError("not finite")
    return numbers


_READERS: dict[str, Callable[[Path], list[Record]]] = {
    ".mat": _read_mat,
    ".tfm": _read_text,
    ".txt": _read_text,
    ".h5": _read_h5,
    ".hdf5": _read_h5,
}
