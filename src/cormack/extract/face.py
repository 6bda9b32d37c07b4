"""The face of a head, for taking it away: a region in front of and below the brain, by pose and distance alone.

As in QuickShear (Schimke and Hale 2011, an edge laid before the brain so that all beyond it is cut off), the region
follows the brain and never the skin: its border tells nothing of the face. Planes in the coordinates of the digital
head, brought to the scan by `pose`, say what is face, ear and tooth; what lies near the brain is never part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import ExtractionError, InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import FloatArray, Volume
from cormack.extract.pose import HeadPose, head_pose
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid, bounding_box, distance_mm

#: Half-spaces n · q > d as rows (n_x, n_y, n_z, d), q in mm of the digital head; a body is where all of them hold.
Body = tuple[tuple[float, float, float, float], ...]
Labels = npt.NDArray[np.uint8]

FACE = LabelTable(
    (
        Label(1, "face", "face", (204, 121, 167), "89545001"),
        Label(2, "ears", "ears", (0, 158, 115), "117590005"),
        Label(3, "teeth", "teeth", (240, 228, 66), "38199008"),
    )
)
#: In front of the joints of the jaw and below a plane that rises from there to the hairline: eyes, nose, mouth, jaws,
#: cheeks and forehead; the outer ears beside the skull; the dental arches with their jaws.
BODIES: Mapping[str, tuple[Body, ...]] = {
    "face": (((0, 1, 0, 2), (0, 0.94, -1, 20), (0, 0, 1, -140)),),
    "ears": tuple(
        ((side, 0, 0, 66), (0, 1, 0, -62), (0, -1, 0, -10), (0, 0, 1, -65), (0, 0, -1, -30)) for side in (1, -1)
    ),
    "teeth": (((0, 1, 0, 25), (0, 0, -1, 52), (0, 0, 1, -115), (1, 0, 0, -42), (-1, 0, 0, -42)),),
}
#: Nothing so near to the brain mask changes (mm), unless the caller chooses otherwise.
MARGIN_MM = 5.0
#: Over the forehead so much more of the skull stays (mm), from this height of the digital head on (mm).
FOREHEAD_MM, FOREHEAD_Z = 2.0, (0.0, 12.0)
#: In front of and below this (y, z in mm of the digital head) lie eyes and nose, and no brain.
ONLY_FACE = (38.0, -12.0)
#: The distance to the brain is known on voxels of about this size (mm).
GRID_MM = 1.0


@dataclass(frozen=True, eq=False)
class FaceRegion:
    """A region in patient space, which may be asked for on any grid.

    Attributes
    ----------
    pose : HeadPose
    parts : tuple of str
        Of `BODIES`.
    margin_mm : float
    from_brain : float array
        At least so many millimetres lie between a point and every voxel of the brain mask, on a grid of its own.
    to_index : array, shape (4, 4)
        RAS+ millimetres to indices of `from_brain`; beyond it the brain is far away.
    in_face_ml : float
        How much of the brain mask lies where only eyes and nose can be; what is there stays.
    """

    pose: HeadPose
    parts: tuple[str, ...]
    margin_mm: float
    from_brain: FloatImage
    to_index: FloatArray
    in_face_ml: float = 0.0

    def plane(self, origin: FloatArray, step_i: FloatArray, step_j: FloatArray, shape: tuple[int, int]) -> Labels:
        """Labels of `FACE` on a plane of voxels, uint8 of shape (i, j); `origin` and steps in RAS+ mm."""
        i, j = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
        to_head = np.asarray(np.linalg.inv(self.pose.matrix), dtype=np.float64)

        def along(matrix: FloatArray, row: FloatArray, offset: float) -> npt.NDArray[np.float64]:
            """A linear function of RAS+ mm on the plane: row · (matrix · point) − offset."""
            weights = row @ matrix[:3, :3]
            start = weights @ origin + row @ matrix[:3, 3] - offset
            return np.asarray(start + (weights @ step_i) * i + (weights @ step_j) * j)

        bodies = {part: self._body(part, lambda row, offset: along(to_head, row, offset)) for part in self.parts}
        wanted = np.logical_or.reduce(list(bodies.values()))
        labels = np.zeros(shape, dtype=np.uint8)
        if not wanted.any():
            return labels
        rows = np.eye(3)
        index = np.stack([along(self.to_index, rows[a], 0.0)[wanted] for a in range(3)])
        distance = ndimage.map_coordinates(self.from_brain, index, order=1, mode="nearest")
        low, high = FOREHEAD_Z
        height = along(to_head, rows[2], 0.0)[wanted]
        free = np.zeros(shape, dtype=bool)
        free[wanted] = distance > self.margin_mm + FOREHEAD_MM * np.clip((height - low) / (high - low), 0, 1)
        for part, body in bodies.items():
            labels[body & free] = FACE[part].index
        return labels

    def _body(self, part: str, along: Callable[[FloatArray, float], npt.NDArray[np.float64]]) -> BoolArray:
        return np.asarray(
            np.logical_or.reduce(
                [
                    np.logical_and.reduce([along(np.asarray(n[:3], dtype=np.float64), n[3]) > 0 for n in body])
                    for body in BODIES[part]
                ]
            )
        )


def face_region(
    volume: Volume, brain: LabelMap, *, parts: Iterable[str] = ("face",), margin_mm: float = MARGIN_MM
) -> FaceRegion:
    """Find the face of a head whose brain is known.

    Parameters
    ----------
    volume : Volume
        Rectified, shape (i, j, k), axes within 45° of the head's right, anterior and superior; any unit.
    brain : LabelMap
        On the grid of the volume.
    parts : iterable of str
        Of `face`, `ears`, `teeth`. The face holds both jaws, and with them the teeth.
    margin_mm : float
        What is nearer to the brain mask than this is not in the region; over the forehead 2 mm more.

    Raises
    ------
    InputError
        If a part is unknown, none is given, the margin is negative, or the brain lies on another grid.
    ExtractionError
        If the brain mask has not the shape of a brain, so that the face cannot be told from it.
    """
    chosen = tuple(dict.fromkeys(parts))
    unknown = [part for part in chosen if part not in BODIES]
    if unknown or not chosen:
        raise InputError(f"parts {', '.join(unknown) or 'none'}: give one or several of {', '.join(BODIES)}")
    if not 0 <= margin_mm <= 50:
        raise InputError(f"a margin of {margin_mm} mm around the brain; give 0 to 50")
    if not brain.on_grid_of(volume):
        raise InputError(f"the brain mask (shape {brain.data.shape}) is not on the volume's grid ({volume.shape})")
    pose = head_pose(volume, brain)
    field, to_index = _distance_from_brain(volume, brain, margin_mm + FOREHEAD_MM)
    return FaceRegion(pose, chosen, margin_mm, field, to_index, _in_face_ml(volume, brain, pose))


def face_mask(
    volume: Volume, brain: LabelMap, *, parts: Iterable[str] = ("face",), margin_mm: float = MARGIN_MM
) -> LabelMap:
    """The face, and by choice ears and teeth, on the grid of a volume; parameters and errors as `face_region`.

    Returns
    -------
    LabelMap
        1 face, 2 ears, 3 teeth. No voxel of the brain mask, nor of the margin around it, is in it.

    Raises
    ------
    ExtractionError
        Also if the region met the brain mask: that would be an error of this program.

    Examples
    --------
    >>> from cormack.core.labels import BRAIN
    >>> x, y, z = np.meshgrid(*[np.arange(-120.0, 121, 4)] * 3, indexing="ij")
    >>> inside = ((x / 68) ** 2 + (y / 85) ** 2 + (z / 66) ** 2 < 1) & (z > -45)
    >>> affine = np.array([[4.0, 0, 0, -120], [0, 4, 0, -120], [0, 0, 4, -120], [0, 0, 0, 1]])
    >>> brain = LabelMap(inside.astype(np.uint8), affine, BRAIN)
    >>> face = face_mask(Volume(np.zeros(x.shape, np.int16), affine), brain).mask("face")
    >>> bool(face[y > 110].any()), bool(face[y < -20].any()), bool((face & inside).any())
    (True, False, False)
    """
    region = face_region(volume, brain, parts=parts, margin_mm=margin_mm)
    labels = np.zeros(volume.shape, dtype=np.uint8, order="F")
    steps = volume.affine[:3, :3].T
    for k in range(volume.shape[2]):
        origin = volume.affine[:3, 3] + k * steps[2]
        labels[:, :, k] = region.plane(origin, steps[0], steps[1], volume.shape[:2])
    check_brain_spared((labels > 0) & (brain.data > 0))
    what = (
        f"{', '.join(region.parts)}: all in front of and below the brain, by its pose; "
        f"at least {margin_mm:g} mm from the brain mask"
    )
    return LabelMap(labels, volume.affine, FACE, what)


def check_brain_spared(met: BoolArray) -> None:
    """Refuse a region that meets the brain mask; `met` says where.

    Raises
    ------
    ExtractionError
        With the number of voxels.
    """
    if met.any():
        count = int(np.count_nonzero(met))
        raise ExtractionError(f"{count} voxels of the brain mask would change: nothing is written; report this error")


def _in_face_ml(volume: Volume, brain: LabelMap, pose: HeadPose) -> float:
    """How much of a brain mask lies below the roof of the orbits and before the temporal lobes (ml)."""
    step = tuple(slice(None, None, max(1, round(GRID_MM / h))) for h in volume.spacing_mm)
    thin = brain.data[step] > 0
    index = np.argwhere(thin) * [s.step for s in step]
    to_head = np.linalg.inv(pose.matrix)
    _, y, z = (volume.world(index) @ to_head[:3, :3].T + to_head[:3, 3]).T
    return float(np.mean((y > ONLY_FACE[0]) & (z < ONLY_FACE[1]))) * brain.volume_ml() if len(index) else 0.0


def _distance_from_brain(volume: Volume, brain: LabelMap, reach_mm: float) -> tuple[FloatImage, FloatArray]:
    """A lower bound of the distance to the brain mask's voxels on a fine grid around it, and how to look it up."""
    spacing = volume.spacing_mm
    margin = tuple(int(np.ceil((reach_mm + 4 * max(GRID_MM, h)) / h)) + 1 for h in spacing)
    box = bounding_box(brain.data > 0, margin)  # type: ignore[arg-type]
    grid = WorkGrid.over(box, spacing, GRID_MM)
    some = grid.coarsen(brain.data, lambda slab: (slab > 0).astype(np.float32)) > 0
    distance = distance_mm(~some, grid.spacing_mm)
    # A voxel of the mask lies within half a diagonal of a coarse centre, and so does the point that is asked for.
    distance -= np.float32(np.linalg.norm(grid.spacing_mm))
    to_index = np.linalg.inv(grid.affine(volume.affine))
    return np.maximum(distance, np.float32(0)), np.asarray(to_index, dtype=np.float64)
