"""Linear transforms by their parameters, and the search for the parameters that make two volumes most alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from cormack.core.transforms import Affine
from cormack.core.volume import FloatArray
from cormack.register.conditioning import Conditioned, FloatImage
from cormack.register.similarity import SIMILARITIES, FloatValues

#: Parameters by name: 3 of rotation (rad), 3 of translation (mm), 1 or 3 logarithms of scale, 3 shears.
RIGID, SIMILAR, AFFINE = 6, 7, 12
#: Steps with which a search begins: radians, millimetres, logarithm of scale, shear.
STEP_RAD, STEP_MM, STEP_SCALE = 0.15, 10.0, 0.05
#: Where less than this share of the fixed foreground lies within the moving volume, similarity is scaled down: two
#: corners that touch are always alike.
ENOUGH_OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class Frame:
    """Centres about which a transform turns, RAS+ mm, shape (3,): fixed ones go to moving ones before any parameter."""

    fixed_mm: FloatArray
    moving_mm: FloatArray
    turn: FloatArray

    def affine(self, parameters: FloatArray) -> Affine:
        """The transform of 6, 7 or 12 parameters about this frame; zeros give the frame's own turn."""
        linear = Rotation.from_rotvec(parameters[:3]).as_matrix() @ self.turn
        if len(parameters) > RIGID:
            scale = parameters[6:9] if len(parameters) == AFFINE else np.repeat(parameters[6], 3)
            linear = linear @ np.diag(np.exp(scale))
        if len(parameters) == AFFINE:
            shear = np.eye(3)
            shear[0, 1], shear[0, 2], shear[1, 2] = parameters[9:]
            linear = linear @ shear
        matrix = np.eye(4)
        matrix[:3, :3] = linear
        matrix[:3, 3] = self.moving_mm + parameters[3:6] - linear @ self.fixed_mm
        return Affine(matrix)


class Sampled:
    """Values of the fixed volume at some of its voxels, and how alike the moving volume is there under a transform.

    Parameters
    ----------
    moving, fixed : Conditioned
    count : int
        About how many voxels of the fixed volume are looked at.
    similarity : str
        Name of a similarity in `SIMILARITIES`.
    """

    def __init__(
        self,
        moving: Conditioned,
        fixed: Conditioned,
        *,
        count: int,
        similarity: str = "nmi",
    ) -> None:
        places = np.arange(fixed.volume.data.size) if fixed.counted is None else np.flatnonzero(fixed.counted)
        places = places[:: max(1, len(places) // count)]
        self._points = fixed.volume.world(np.stack(np.unravel_index(places, fixed.volume.shape), axis=-1)).T
        self._values = fixed.volume.data.ravel()[places]
        self._front = fixed.foreground.ravel()[places]
        self._moving = moving.volume
        self._lesion = None if moving.counted is None else (~moving.counted).astype(np.float32)
        self._to_voxels = np.linalg.inv(moving.volume.affine)
        self._last = np.array(moving.volume.shape)[:, None] - 1
        self._similarity: Callable[[FloatValues, FloatValues], float] = SIMILARITIES[similarity]

    def score(self, transform: Affine) -> float:
        """Similarity where both volumes have values; lowered where they hardly overlap, -1 where not at all."""
        matrix = self._to_voxels @ transform.matrix
        voxels = matrix[:3, :3] @ self._points + matrix[:3, 3:]
        inside = np.all((voxels >= -0.5) & (voxels <= self._last + 0.5), axis=0)
        if self._lesion is not None:
            inside &= self._at(self._lesion, voxels) < 0.5
        overlap = np.count_nonzero(inside & self._front) / max(1, int(np.count_nonzero(self._front)))
        if np.count_nonzero(inside) < 50:
            return -1.0
        alike = self._similarity(self._values[inside], self._at(self._moving.data, voxels[:, inside]))
        return alike - max(0.0, ENOUGH_OVERLAP - overlap)

    def best(
        self, frame: Frame, parameters: FloatArray, *, shrink: float = 1.0, rounds: int = 3
    ) -> tuple[FloatArray, float]:
        """Parameters near the given ones that are most alike, by Powell's method, and their score."""
        steps = np.repeat([STEP_RAD, STEP_MM, STEP_SCALE], [3, 3, AFFINE - 6])[: len(parameters)] * shrink

        def cost(units: FloatArray) -> float:
            return -self.score(frame.affine(parameters + units * steps))

        found = optimize.minimize(
            cost,
            np.zeros(len(parameters)),
            method="Powell",
            options={"xtol": 0.01, "ftol": 1e-6, "maxiter": rounds},
        )
        return np.asarray(parameters + found.x * steps), -float(found.fun)

    @staticmethod
    def _at(data: FloatImage, voxels: FloatArray) -> FloatImage:
        return np.asarray(ndimage.map_coordinates(data, voxels, np.float32, order=1, mode="nearest", prefilter=False))
