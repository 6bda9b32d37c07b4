"""Small DICOM series made with pydicom alone, for tests: nothing of the reader under test takes part."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


@dataclass
class Recipe:
    """What a series should be like; `extra` elements are set on every slice."""

    n: int = 6
    rows: int = 8
    columns: int = 10
    spacing: tuple[float, float] = (0.5, 0.75)
    positions_mm: tuple[float, ...] | None = None
    distance_mm: float = 5.0
    tilt_deg: float = 0.0
    orientation: tuple[float, ...] = AXIAL
    origin: tuple[float, float, float] = (-10.0, -20.0, 30.0)
    dtype: Any = np.int16
    bits_stored: int | None = None
    slope: float = 1.0
    intercept: float = -1024.0
    modality: str = "CT"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    patient: str = "P1"
    series_number: int = 2
    series_uid: str = field(default_factory=generate_uid)
    study_uid: str = "1.2.3.4"
    sop_class: str = CTImageStorage
    syntax: str = ExplicitVRLittleEndian
    seed: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


def tilted(tilt_deg: float) -> tuple[float, ...]:
    """ImageOrientationPatient of an axial stack whose gantry leans by an angle."""
    angle = np.radians(tilt_deg)
    return (1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(-np.sin(angle)))


def stored_volume(recipe: Recipe) -> np.ndarray:
    """Stored values, shape (slices, rows, columns), each voxel different enough to catch a flip."""
    rng = np.random.default_rng(recipe.seed)
    n = len(recipe.positions_mm) if recipe.positions_mm else recipe.n
    return rng.integers(0, 2000, (n, recipe.rows, recipe.columns)).astype(recipe.dtype)


def positions_lps(recipe: Recipe) -> np.ndarray:
    """ImagePositionPatient of each slice, (n, 3): along the normal for a plain stack, along z (the table) if tilted."""
    along = np.asarray(recipe.positions_mm or np.arange(recipe.n) * recipe.distance_mm, dtype=float)
    direction = np.cross(recipe.orientation[:3], recipe.orientation[3:])
    if recipe.tilt_deg:
        direction = np.array([0.0, 0.0, 1.0])
    return np.asarray(recipe.origin) + along[:, None] * direction


def datasets(recipe: Recipe) -> list[FileDataset]:
    """The slices of a series as pydicom data sets, in order of position."""
    orientation = tilted(recipe.tilt_deg) if recipe.tilt_deg else recipe.orientation
    recipe = Recipe(**{**recipe.__dict__, "orientation": orientation})
    volume = stored_volume(recipe)
    return [_dataset(recipe, k, volume[k], place) for k, place in enumerate(positions_lps(recipe))]


def _dataset(recipe: Recipe, k: int, values: np.ndarray, place: np.ndarray) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = recipe.sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = UID(recipe.syntax)
    ds = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = recipe.sop_class, meta.MediaStorageSOPInstanceUID
    ds.PatientID, ds.PatientName = recipe.patient, "Doe^Jane"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = recipe.study_uid, recipe.series_uid
    ds.SeriesNumber, ds.InstanceNumber, ds.Modality = recipe.series_number, k + 1, recipe.modality
    ds.ImageType = list(recipe.image_type)
    ds.ImageOrientationPatient = [f"{x:.9f}" for x in recipe.orientation]
    ds.ImagePositionPatient = [f"{x:.6f}" for x in place]
    ds.PixelSpacing = list(recipe.spacing)
    ds.Rows, ds.Columns, ds.SamplesPerPixel = recipe.rows, recipe.columns, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    bits = values.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored = bits, recipe.bits_stored or bits
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    ds.RescaleSlope, ds.RescaleIntercept = recipe.slope, recipe.intercept
    order = ">" if recipe.syntax == "1.2.840.10008.1.2.2" else "<"
    ds.PixelData = values.astype(values.dtype.newbyteorder(order)).tobytes()
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in recipe.extra.items():
        setattr(ds, keyword, value)
    return ds


def write(folder: Path, slices: list[FileDataset], *, prefix: str = "im", shuffle: bool = True) -> list[Path]:
    """Write slices under names that say nothing about their order."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(7).permutation(len(slices)) if shuffle else np.arange(len(slices))
    paths = []
    for name, index in enumerate(order):
        path = folder / f"{prefix}{name:04d}"
        pydicom.dcmwrite(path, slices[index], enforce_file_format=True)
        paths.append(path)
    return paths


def series(folder: Path, **recipe: Any) -> Recipe:
    """Write one series and give back its recipe."""
    made = Recipe(**recipe)
    write(folder, datasets(made), prefix=f"s{made.series_number}_{made.patient}_")
    return made
