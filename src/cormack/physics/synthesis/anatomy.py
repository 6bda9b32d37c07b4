"""What a synthetic head is made of: tissues and truth on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray

Codes = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
FloatImage = npt.NDArray[np.float32]
#: Steps of `Anatomy.depth` per millimetre; int8 then reaches to 31 mm on both sides of the surface.
DEPTH_STEPS_PER_MM = 4


class Tissue(IntEnum):
    """Tissue codes; 0 to 11 are BrainWeb's classes."""

    AIR = 0
    CSF = 1
    GRAY = 2
    WHITE = 3
    FAT = 4
    MUSCLE = 5
    SKIN = 6
    BONE = 7
    VESSEL = 8
    CONNECTIVE = 9
    DURA = 10
    MARROW = 11
    SINUS = 12
    AIRWAY = 13
    MASTOID = 14
    PETROUS = 15
    TOOTH = 16
    CARTILAGE = 17
    DISC = 18
    VERTEBRA = 19
    CORD = 20
    EYE = 21
    LENS = 22
    VEIN = 23
    CALCIFICATION = 24
    BLOOD = 25
    OLD_BLOOD = 26
    OEDEMA = 27
    INFARCT = 28
    TUMOUR = 29
    CAVITY = 30
    METAL = 31
    SWELLING = 32
    GAS = 33
    LEVEL = 34


#: Tissues of the intracranial space that may be displaced or replaced by a lesion.
BRAIN_TISSUES = (Tissue.CSF, Tissue.GRAY, Tissue.WHITE, Tissue.VESSEL, Tissue.DURA, Tissue.VEIN)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A head as tissues on a grid of about 1 mm, RAS+ axes.

    Parameters
    ----------
    tissues : uint8 array, shape (i, j, k)
        Codes of `Tissue`.
    targets : uint8 array, shape (i, j, k)
        What a network shall learn: 1 is the intracranial space, cut at the plane of the foramen magnum; or other
        labels, which are then given back as a label map.
    depth : int8 array, shape (i, j, k)
        Distance below the inner table in quarter millimetres, negative outside, clipped at ±31 mm. It goes on into the
        spinal canal, where `targets` is cut.
    affine : array, shape (4, 4)
        Voxel indices to RAS+ mm.
    name : str

    Raises
    ------
    GeometryError
        If the arrays differ in shape.
    """

    tissues: Codes
    targets: Codes
    depth: npt.NDArray[np.int8]
    affine: FloatArray
    name: str = ""

    def __post_init__(self) -> None:
        if not (self.tissues.shape == self.targets.shape == self.depth.shape) or self.tissues.ndim != 3:
            raise GeometryError(
                f"tissues, targets and depth of an Anatomy must have one 3-D shape, not {self.tissues.shape}, "
                f"{self.targets.shape} and {self.depth.shape}"
            )
        object.__setattr__(self, "affine", np.asarray(self.affine, dtype=np.float64))

    @cached_property
    def several(self) -> bool:
        """True if there are more targets than one."""
        return bool(self.targets.max(initial=0) > 1)

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """First and last voxel of the target along each axis, shape (3,) each; the whole grid if there is no target."""
        first, last = np.zeros(3), np.array(self.targets.shape, dtype=np.float64) - 1
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            where = np.flatnonzero((self.targets > 0).any(axis=others))
            if len(where):
                first[axis], last[axis] = where[0], where[-1]
        return first, last

    @property
    def centre_mm(self) -> FloatArray:
        """Middle of the target's bounding box, RAS+ mm, shape (3,)."""
        first, last = self.bounds
        return np.asarray(self.affine[:3, :3] @ ((first + last) / 2) + self.affine[:3, 3])


def save_anatomy(anatomy: Anatomy, path: Path) -> None:
    """Write an anatomy as a compressed `.npz`."""
    np.savez_compressed(
        path,
        tissues=anatomy.tissues,
        targets=anatomy.targets,
        depth=anatomy.depth,
        affine=anatomy.affine,
        name=np.array(anatomy.name),
    )


def load_anatomy(path: Path) -> Anatomy:
    """Read what `save_anatomy` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return Anatomy(stored["tissues"], stored["targets"], stored["depth"], stored["affine"], str(stored["name"][()]))
