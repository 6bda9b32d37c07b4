"""Transforms as files that ANTs and Slicer take, and the folder in which a registration leaves them."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

from cormack.core.errors import GeometryError, InputError
from cormack.core.fields import DisplacementField
from cormack.core.provenance import generated_by
from cormack.core.transforms import Affine, Transform, TransformChain
from cormack.core.volume import AnyArray, Volume
from cormack.files.itk import read_itk, write_affine
from cormack.files.nifti import is_nifti, write_planes
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json

#: The file that tells which transforms a registration left, and in which order they are applied.
SET_NAME = "transforms.json"
SET_SCHEMA = 1
#: NIfTI intents of vectors: ITK writes and reads 1007 as LPS+, 1006 as RAS+ (nifti1.h, "DISPVECT").
_VECTOR, _DISPLACEMENT_VECTOR = 1007, 1006
_TO_RAS = {
    _VECTOR: np.array([-1, -1, 1], dtype=np.float32),
    _DISPLACEMENT_VECTOR: np.array([1, 1, 1], dtype=np.float32),
}
_LABEL = re.compile(r"[0-9A-Za-z]+")
_CONVENTION = (
    "Each file maps points, LPS+ mm (ITK), of the space after 'to-' to the space after 'from-', so that images are "
    "resampled from 'from-' to 'to-'. Each list is in the order of antsApplyTransforms -t: points of the target meet "
    "the first one first."
)


def read_transform(path: Path, *, inverse: bool = False) -> TransformChain:
    """Read transforms from a registration's folder, or from one file.

    Parameters
    ----------
    path : Path
        A folder with `transforms.json` (or that file), an ITK file (`.mat`, `.tfm`, `.txt`, `.h5`), or a displacement
        field as ITK writes it (`.nii.gz`).
    inverse : bool
        The way back: from the folder as it was written, from a file as it is computed.

    Raises
    ------
    InputError
        If nothing is there, or nothing that is a transform.
    """
    if path.is_dir() or path.name.endswith(SET_NAME):
        return _read_set(path / SET_NAME if path.is_dir() else path, inverse=inverse)
    chain = TransformChain((_read_file(path),))
    return chain.inverse() if inverse else chain


def write_transforms(
    outputs: OutputSet, chain: TransformChain, *, moving: str, fixed: str, stem: str = "", folder: Path = Path()
) -> tuple[Path, ...]:
    """Write a chain both ways, one file per transform and direction, and the list of them.

    Parameters
    ----------
    outputs : OutputSet
    chain : TransformChain
        From the fixed to the moving space; affines and displacement fields.
    moving, fixed : str
        BIDS labels of the two spaces, such as `ct` and `MNI152NLin2009cAsym`.
    stem : str
        What the names begin with, such as `sub-01_`.
    folder : Path
        Relative to the root of `outputs`.

    Returns
    -------
    tuple of Path
        Relative to the root of `outputs`; `transforms.json` last.

    Raises
    ------
    InputError
        If a label has other characters than letters and digits, or both are equal.
    GeometryError
        If a field cannot be inverted, or lies on a sheared grid.
    """
    if moving == fixed or not (_LABEL.fullmatch(moving) and _LABEL.fullmatch(fixed)):
        raise InputError(f"spaces {moving!r} and {fixed!r}: give two different labels of letters and digits (BIDS)")
    written: list[Path] = []
    lists: dict[str, list[str]] = {}
    for way, source, target in ((chain, moving, fixed), (chain.inverse(), fixed, moving)):
        direction = f"from-{source}_to-{target}"
        lists[direction] = []
        for transform, description in zip(way.transforms, _descriptions(way), strict=True):
            extension = ".mat" if isinstance(transform, Affine) else ".nii.gz"
            name = f"{stem}{direction}_mode-image{description}_xfm{extension}"
            _write_file(outputs.part(folder / name), transform)
            lists[direction].append(name)
            written.append(folder / name)
    record = {
        "Schema": SET_SCHEMA,
        "GeneratedBy": generated_by(),
        "Convention": _CONVENTION,
        "From": moving,
        "To": fixed,
        "Transforms": lists,
    }
    outputs.write_text(folder / f"{stem}{SET_NAME}", to_json(record))
    return (*written, folder / f"{stem}{SET_NAME}")


def write_field(path: Path, field: DisplacementField) -> None:
    """Write a displacement field as ANTs does: 5-D NIfTI, intent 1007 (vector), LPS+ mm, float32.

    Raises
    ------
    GeometryError
        If the grid is sheared: ITK has no such grids.
    """
    if not Volume(field.displacement[..., 0], field.affine).is_orthogonal:
        raise GeometryError("a displacement field on a sheared grid cannot be written for ITK; resample it first")

    def planes() -> Iterator[AnyArray]:
        for component, sign in enumerate(_TO_RAS[_VECTOR]):
            for k in range(field.shape[2]):
                yield field.displacement[:, :, k, component] * sign

    write_planes(path, planes(), (*field.shape, 1, 3), np.dtype(np.float32), field.affine, intent=_VECTOR)


def read_field(path: Path) -> DisplacementField:
    """Read a displacement field as ITK and ANTs write it.

    Raises
    ------
    InputError
        If the file is broken or holds anything else.
    """
    try:
        image = nib.load(path)
        intent = int(image.header["intent_code"])
        if image.ndim != 5 or image.shape[3:] != (1, 3) or intent not in _TO_RAS:
            size = " x ".join(str(n) for n in image.shape)
            raise InputError(
                f"{path}: a NIfTI file of {size} with intent {intent} is no displacement field of ITK; expected are "
                "i x j x k x 1 x 3 and intent 1007"
            )
        vectors = image.get_fdata(dtype=np.float32, caching="unchanged")[:, :, :, 0, :]
        return DisplacementField(vectors * _TO_RAS[intent], image.affine)
    except (ImageFileError, OSError, EOFError, zlib.error, ValueError, GeometryError) as error:
        raise InputError(f"{path}: not a readable displacement field ({type(error).__name__})") from error


def _read_file(path: Path) -> Transform:
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    return read_field(path) if is_nifti(path) else read_itk(path)


def _write_file(path: Path, transform: Transform) -> None:
    if isinstance(transform, Affine):
        write_affine(path, transform)
    elif isinstance(transform, DisplacementField):
        write_field(path, transform)
    else:
        raise InputError(f"a {type(transform).__name__} cannot be written; affines and displacement fields can")


def _descriptions(chain: TransformChain) -> list[str]:
    """What tells the files of one direction apart: nothing for a single one, the kind, a number among equals."""
    kinds = ["affine" if isinstance(transform, Affine) else "warp" for transform in chain.transforms]
    if len(kinds) < 2:
        return [""] * len(kinds)
    return [
        f"_desc-{kind}" + (str(kinds[:n].count(kind) + 1) if kinds.count(kind) > 1 else "")
        for n, kind in enumerate(kinds)
    ]


def _read_set(path: Path, *, inverse: bool) -> TransformChain:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the output folder of `cormack register`, or one transform file")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["Schema"] != SET_SCHEMA:
            raise ValueError
        source, target = (record["To"], record["From"]) if inverse else (record["From"], record["To"])
        names = [str(name) for name in record["Transforms"][f"from-{source}_to-{target}"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a list of transforms that this version of Cormack writes") from error
    if any(Path(name).name != name for name in names):
        raise InputError(f"{path}: names files outside its folder; transforms lie beside their list")
    missing = sum(not (path.parent / name).is_file() for name in names)
    if missing:
        raise InputError(f"{path}: {missing} of {len(names)} transform files are missing beside it; register again")
    return TransformChain(tuple(_read_file(path.parent / name) for name in names))
