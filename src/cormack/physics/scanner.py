"""A simulated scanner: phantoms in, slices out, with the awkwardness of real ones.

Gantry tilt, four orientations, uneven spacing, missing slices, partial volume over the slice thickness, a round
field of reconstruction with padding around it, and noise with the texture of filtered back-projection.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cormack.core.acquisition import Acquisition
from cormack.core.errors import InputError
from cormack.core.volume import SliceStack
from cormack.physics.noise import correlated_noise
from cormack.physics.phantom import rotation_matrix
from cormack.physics.plane import Phantom, Plane

Orientation = Literal["axial", "coronal", "sagittal", "oblique"]
AIR_HU_RANGE = (-1024, 3071)
#: Angles (degrees about x, y, z) of the oblique orientation: a head turned in its holder.
OBLIQUE_DEG = (11.0, -8.0, 17.0)
#: RAS+ directions of columns (i) and rows (j) as DICOM viewers show them; j points to the feet or the back.
_DIRECTIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "axial": ((-1, 0, 0), (0, -1, 0)),
    "coronal": ((-1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, -1, 0), (0, 0, -1)),
}


def even_positions(count: int, spacing_mm: float) -> tuple[float, ...]:
    """Table positions of evenly spaced slices, in millimetres, centred on 0."""
    return tuple(float(p) for p in (np.arange(count) - (count - 1) / 2) * spacing_mm)


def grouped_positions(groups: tuple[tuple[int, float], ...]) -> tuple[float, ...]:
    """Table positions of slices in groups of (count, spacing in mm), centred on 0: thin at the base, thick above."""
    steps = np.concatenate([np.full(count, spacing) for count, spacing in groups])
    positions = np.concatenate([[0.0], np.cumsum(steps[1:])])
    return tuple(float(p) for p in positions - positions[-1] / 2)


@dataclass(frozen=True)
class SliceGeometry:
    """Where the slices lie and how they are sampled.

    Parameters
    ----------
    positions_mm : tuple of float
        Table positions of the slice centres along the stacking direction, ascending, relative to `center_mm`.
    orientation : {"axial", "coronal", "sagittal", "oblique"}
    tilt_deg : float
        Gantry tilt, −25 to 25, about the direction of i; the sign is that of `SliceStack.tilt_deg`. At −18 an
        axial slice is high at the forehead and low at the neck, as radiographers tilt to spare the eyes.
    columns, rows : int
    pixel_spacing_mm : (float, float)
        From column to column (i) and from row to row (j).
    thickness_mm : float
        Averaged over, along the slice normal.
    center_mm : (x, y, z)
        RAS+ millimetres of the middle of the stack.

    Raises
    ------
    InputError
        If positions do not ascend, or the tilt, the thickness or the size are out of range.
    """

    positions_mm: tuple[float, ...]
    orientation: Orientation = "axial"
    tilt_deg: float = 0.0
    columns: int = 512
    rows: int = 512
    pixel_spacing_mm: tuple[float, float] = (0.45, 0.45)
    thickness_mm: float = 4.0
    center_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.positions_mm) < 1 or np.any(np.diff(self.positions_mm) <= 0):
            raise InputError("positions_mm must hold at least one position, in ascending order")
        if not -45 <= self.tilt_deg <= 45:
            raise InputError(f"tilt_deg must lie between -45 and 45, not {self.tilt_deg}")
        if self.thickness_mm <= 0 or min(self.pixel_spacing_mm) <= 0 or min(self.columns, self.rows) < 1:
            raise InputError("thickness_mm, pixel_spacing_mm, columns and rows must be positive")
        if self.orientation not in (*_DIRECTIONS, "oblique"):
            raise InputError(f"orientation must be axial, coronal, sagittal or oblique, not {self.orientation!r}")

    def frame(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Unit vectors, RAS+: along i, along j, the slice normal, and the direction in which the table moves."""
        turn = rotation_matrix(*OBLIQUE_DEG) if self.orientation == "oblique" else np.eye(3)
        i, untilted_j = (
            turn @ np.array(d, dtype=float) for d in _DIRECTIONS.get(self.orientation, _DIRECTIONS["axial"])
        )
        table = np.cross(i, untilted_j)
        cos, sin = np.cos(np.radians(self.tilt_deg)), np.sin(np.radians(self.tilt_deg))
        return i, cos * untilted_j + sin * table, cos * table - sin * untilted_j, table

    def origins(self) -> npt.NDArray[np.float64]:
        """RAS+ millimetres of the centre of voxel (0, 0) of each slice, shape (k, 3)."""
        i, j, _, table = self.frame()
        corner = (
            -i * self.pixel_spacing_mm[0] * (self.columns - 1) / 2 - j * self.pixel_spacing_mm[1] * (self.rows - 1) / 2
        )
        return np.asarray(self.center_mm) + corner + np.asarray(self.positions_mm)[:, None] * table

    def without_slice(self, index: int) -> SliceGeometry:
        """The same scan with one slice lost."""
        kept = self.positions_mm[:index] + self.positions_mm[index + 1 :]
        return SliceGeometry(**{**self.__dict__, "positions_mm": kept})


@dataclass(frozen=True)
class ScannerSettings:
    """How the scanner measures.

    Parameters
    ----------
    resolution_mm : width of the ramp by which a sharp edge is imaged, in the plane
    subsample_mm : at most this far apart are the planes that the slice thickness is averaged from
    noise_hu : standard deviation of the noise; 0 for none
    noise_cutoff_per_mm : where the reconstruction kernel rolls off (cycles per mm); higher is sharper and grainier
    field_of_view_mm : diameter of the reconstructed circle; None for the whole square
    padding_hu : value outside the circle
    seed : of the noise
    workers : threads
    """

    resolution_mm: float = 0.7
    subsample_mm: float = 1.0
    noise_hu: float = 0.0
    noise_cutoff_per_mm: float = 0.45
    field_of_view_mm: float | None = None
    padding_hu: int = -3024
    seed: int = 0
    workers: int = 2
    kernel: str = "STANDARD"
    kvp: float = 120.0


def acquire(phantom: Phantom, geometry: SliceGeometry, settings: ScannerSettings | None = None) -> SliceStack:
    """Image a phantom slice by slice.

    Returns
    -------
    SliceStack
        int16 Hounsfield units of shape (columns, rows, slices), within −1024 to 3071 but for the padding. The memory
        layout is slice after slice, as on a scanner's disk.

    Raises
    ------
    InputError
        If a setting is out of range.
    """
    settings = settings or ScannerSettings()
    if min(settings.resolution_mm, settings.subsample_mm) <= 0 or settings.noise_hu < 0 or settings.workers < 1:
        raise InputError("resolution_mm, subsample_mm and workers must be positive, noise_hu not negative")
    origins = geometry.origins()
    slices: Any = np.empty((len(origins), geometry.rows, geometry.columns), dtype=np.int16)

    def fill(k: int) -> None:
        slices[k] = _image(phantom, geometry, settings, origins[k], k)

    with ThreadPoolExecutor(settings.workers) as pool:
        list(pool.map(fill, range(len(origins))))
    i, j, _, _ = geometry.frame()
    return SliceStack(
        slices.transpose(2, 1, 0),
        i * geometry.pixel_spacing_mm[0],
        j * geometry.pixel_spacing_mm[1],
        origins,
        outside=-1024.0,
        acquisition=_acquisition(geometry, settings),
    )


def scout(phantom: Phantom, geometry: SliceGeometry, *, width_mm: float, step_mm: float = 3.0) -> SliceStack:
    """A localizer: the phantom projected along the normal of a single slice, as the standing tube sees it.

    Parameters
    ----------
    phantom : Phantom
    geometry : SliceGeometry
        One slice; its thickness is not used.
    width_mm, step_mm : float
        How deep to project, and by which steps.

    Returns
    -------
    SliceStack
        One slice of int16: millimetres of water in the beam, times 8, minus 1000; localizers have no Hounsfield units.
    """
    i, j, normal, _ = geometry.frame()
    edge_mm = max(*geometry.pixel_spacing_mm, step_mm)
    total: Any = np.zeros((geometry.rows, geometry.columns), dtype=np.float32)
    origin = geometry.origins()[0]
    steps = i * geometry.pixel_spacing_mm[0], j * geometry.pixel_spacing_mm[1]
    for depth in np.arange(-width_mm / 2, width_mm / 2, step_mm):
        total += phantom.hu(Plane(origin + depth * normal, *steps, geometry.rows, geometry.columns, edge_mm)) + 1000
    image = np.clip(np.rint(total * (step_mm / 1000 * 8) - 1000), *AIR_HU_RANGE).astype(np.int16)
    facts = replace(_acquisition(geometry, ScannerSettings()), image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    return SliceStack(image.T[:, :, None], *steps, geometry.origins()[:1], acquisition=facts)


def _image(
    phantom: Phantom, geometry: SliceGeometry, settings: ScannerSettings, origin: npt.NDArray[np.float64], k: int
) -> npt.NDArray[np.int16]:
    """One slice, shape (rows, columns): averaged over its thickness, noisy, padded."""
    i, j, normal, _ = geometry.frame()
    count = int(np.ceil(geometry.thickness_mm / settings.subsample_mm))
    depths = ((np.arange(count) + 0.5) / count - 0.5) * geometry.thickness_mm
    total = np.zeros((geometry.rows, geometry.columns), dtype=np.float32)
    for depth in depths:
        step_i, step_j = i * geometry.pixel_spacing_mm[0], j * geometry.pixel_spacing_mm[1]
        edge_mm = max(settings.resolution_mm, *geometry.pixel_spacing_mm)
        total += phantom.hu(Plane(origin + depth * normal, step_i, step_j, geometry.rows, geometry.columns, edge_mm))
    total *= np.float32(1.0 / count)
    if settings.noise_hu > 0:
        total += settings.noise_hu * correlated_noise(
            total.shape, geometry.pixel_spacing_mm, settings.noise_cutoff_per_mm, (settings.seed, k)
        )
    image = np.clip(np.rint(total), *AIR_HU_RANGE).astype(np.int16)
    if settings.field_of_view_mm is not None:
        image[_radius_mm(geometry) > settings.field_of_view_mm / 2] = settings.padding_hu
    return image


def _radius_mm(geometry: SliceGeometry) -> npt.NDArray[np.float64]:
    """Distance of each pixel from the middle of its slice, shape (rows, columns)."""
    i = (np.arange(geometry.columns) - (geometry.columns - 1) / 2) * geometry.pixel_spacing_mm[0]
    j = (np.arange(geometry.rows) - (geometry.rows - 1) / 2) * geometry.pixel_spacing_mm[1]
    return np.asarray(np.hypot(i[None, :], j[:, None]))


def _acquisition(geometry: SliceGeometry, settings: ScannerSettings) -> Acquisition:
    """What a header would say of this scan."""
    return Acquisition(
        modality="CT",
        manufacturer="Cormack",
        manufacturer_model_name="Phantom scanner",
        convolution_kernel=settings.kernel,
        kvp=settings.kvp,
        slice_thickness_mm=geometry.thickness_mm,
        reconstruction_diameter_mm=settings.field_of_view_mm or geometry.columns * geometry.pixel_spacing_mm[0],
        gantry_detector_tilt_deg=geometry.tilt_deg,
        patient_position="HFS",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        source_format="phantom",
    )
