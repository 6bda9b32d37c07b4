"""Label maps from NRRD, among them the segmentations of 3D Slicer (`.seg.nrrd`).

http://teem.sourceforge.net/nrrd/format.html; Slicer's fields (`Segment0_Name` …) as its documentation of segmentations
describes them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import AnyArray, FloatArray
from cormack.files.label_tables import COLORS, unique_names
from cormack.files.nifti import MAX_VOXELS

#: World axes of a NRRD's space that point the other way than RAS+.
SPACES = {
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "LPS": (-1.0, -1.0, 1.0),
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "RAS": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "LAS": (-1.0, 1.0, 1.0),
}
_SEGMENT = re.compile(r"Segment(\d+)_(\w+)")
#: SNOMED CT code of the type in Slicer's terminology entry: `context~category~type~…`, each `scheme^code^meaning`.
_SNOMED_CT = re.compile(r"TerminologyEntry:[^~|]*~[^~|]*~SCT\^(\d+)\^")


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A label map, and how many voxels more than one segment claims (the later one stands)."""

    labels: LabelMap
    overlap: int


@dataclass(frozen=True)
class _Segment:
    """One segment of a Slicer segmentation: its number on its layer, and what it is."""

    value: int
    layer: int
    name: str
    color: tuple[int, int, int] | None
    snomed_ct: str | None


def is_nrrd(path: Path) -> bool:
    """True if the file's name says NRRD."""
    return path.name.lower().endswith(".nrrd")


def read_nrrd_labels(path: Path) -> Segmentation:
    """Read a label map or a segmentation of 3D Slicer, layers and all.

    Parameters
    ----------
    path : Path
        `.nrrd` or `.seg.nrrd`, with its data in the same file.

    Raises
    ------
    InputError
        If the file is missing or broken, states no patient space, or holds other numbers than labels.
    """
    import nrrd  # type: ignore[import-untyped]

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with path.open("rb") as f:
            header = nrrd.read_header(f)
            _check(path, header)
            data = nrrd.read_data(header, f, filename=None)
        affine, spatial = _affine(path, header)
        segments = _segments(header)
    except (nrrd.NRRDError, OSError, EOFError, zlib.error, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a readable NRRD file, or it is truncated ({type(error).__name__})") from error
    layers = np.moveaxis(data, spatial.index(False), 0) if data.ndim == 4 else data[None]
    if not segments:
        if len(layers) > 1:
            raise InputError(f"{path}: four dimensions, but no names of segments; give one label map of three")
        return Segmentation(LabelMap(_as_labels(path, layers[0]), affine, LabelTable(())), 0)
    return _painted(path, layers, affine, segments)


def _check(path: Path, header: Mapping[str, Any]) -> None:
    """Refuse what cannot be a label map before its data is read."""
    if "data file" in header or "datafile" in header:
        raise InputError(f"{path}: its data lies in another file; save it as one file (attached header)")
    sizes = [int(n) for n in header["sizes"]]
    if len(sizes) not in (3, 4) or min(sizes) < 1 or np.prod([float(n) for n in sizes]) > MAX_VOXELS:
        shape = " x ".join(str(n) for n in sizes)
        raise InputError(
            f"{path}: {shape}; a label map has three dimensions, or layers of them, and at most 2e9 voxels"
        )
    if header["type"] in ("float", "double", "block"):
        raise InputError(f"{path}: numbers of type {header['type']}; labels are whole numbers")


def _affine(path: Path, header: Mapping[str, Any]) -> tuple[FloatArray, list[bool]]:
    """Voxel indices to RAS+ mm, and which axes of the array lie in space."""
    space = str(header.get("space", ""))
    if space not in SPACES or "space directions" not in header or "space origin" not in header:
        raise InputError(
            f"{path}: the header states no patient space (space {space or 'missing'!r}, directions or origin), so left "
            "and right cannot be told apart"
        )
    if any(unit not in ("mm", "") for unit in header.get("space units", ())):
        raise InputError(f"{path}: lengths in {header['space units']}; expected is mm")
    rows = [row if row is not None and np.isfinite(row).all() else None for row in header["space directions"]]
    affine = np.eye(4)
    affine[:3, :3] = np.array([row for row in rows if row is not None], dtype=np.float64).T
    affine[:3, 3] = header["space origin"]
    return np.diag([*SPACES[space], 1.0]) @ affine, [row is not None for row in rows]


def _segments(header: Mapping[str, Any]) -> list[_Segment]:
    """Every segment in ascending order."""
    found: dict[int, dict[str, str]] = {}
    for key, value in header.items():
        if (match := _SEGMENT.fullmatch(key)) is not None:
            found.setdefault(int(match[1]), {})[match[2]] = str(value)
    return [
        _Segment(
            value=int(fields.get("LabelValue", "1")),
            layer=int(fields.get("Layer", "0")),
            name=fields.get("Name", "").strip(),
            color=_color(fields.get("Color", "")),
            snomed_ct=None if (code := _SNOMED_CT.search(fields.get("Tags", ""))) is None else code[1],
        )
        for _, fields in sorted(found.items())
    ]


def _color(text: str) -> tuple[int, int, int] | None:
    if not text.strip():
        return None
    red, green, blue = (min(255, max(0, round(255 * float(part)))) for part in text.split())
    return red, green, blue


def _painted(path: Path, layers: AnyArray, affine: FloatArray, segments: list[_Segment]) -> Segmentation:
    """All segments in one map; numbers as in the file if each is used once, else 1, 2, ….

    Raises
    ------
    InputError
        If there is no such layer.
    """
    values = [segment.value for segment in segments]
    numbers = values if len(set(values)) == len(values) and min(values) > 0 else range(1, len(values) + 1)
    names = unique_names(segment.name or f"segment {n}" for n, segment in zip(numbers, segments, strict=True))
    data = np.zeros(layers.shape[1:], dtype=np.uint8 if max(numbers) < 256 else np.uint16)
    overlap, labels = 0, []
    for number, name, segment in zip(numbers, names, segments, strict=True):
        if not 0 <= segment.layer < len(layers):
            raise InputError(f"{path}: a segment lies on layer {segment.layer}; the file has {len(layers)}")
        inside = layers[segment.layer] == segment.value
        overlap += int(np.count_nonzero(data[inside]))
        data[inside] = number
        labels.append(Label(number, name, name, segment.color or COLORS[number % len(COLORS)], segment.snomed_ct))
    return Segmentation(LabelMap(data, affine, LabelTable(tuple(labels))), overlap)


def _as_labels(path: Path, data: AnyArray) -> AnyArray:
    if data.dtype.kind not in "iu" or data.min() < 0 or data.max() > np.iinfo(np.uint16).max:
        raise InputError(f"{path}: numbers of type {data.dtype}; labels are whole numbers from 0 to 65535")
    return data.astype(np.uint8 if data.max() < 256 else np.uint16)
