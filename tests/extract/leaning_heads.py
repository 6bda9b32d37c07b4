"""The digital head on grids in which it leans, and where its parts lie: truth by construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Volume
from cormack.physics.head import HeadParameters, digital_head
from cormack.physics.plane import Plane

#: Points of the digital head (RAS+ mm): in and on its face, and its ears.
FACE_POINTS = {
    "right eye": (32.5, 66, -13),
    "left eye": (-32.5, 66, -13),
    "tip of the nose": (0, 106, -44),
    "mouth": (0, 85, -75),
    "chin": (0, 80, -105),
    "brow": (0, 88, 4),
    "cheek": (55, 50, -45),
    "forehead": (0, 92, 25),
}
EAR_POINTS = {"right ear": (82, -24, -16), "left ear": (-82, -24, -16)}
#: What has to stay: occiput, vertex, neck.
OTHER_POINTS = {"occiput": (0, -100, 0), "vertex": (0, 0, 95), "neck": (0, -40, -90)}
LOW, HIGH = (-115.0, -130.0, -130.0), (115.0, 135.0, 110.0)


@dataclass(frozen=True, eq=False)
class LeaningHead:
    """`volume` holds Hounsfield units if asked for, else zeros; `rotation` turns the head's axes to the scan's."""

    volume: Volume
    brain: LabelMap
    rotation: np.ndarray

    def world(self, point: tuple[float, float, float]) -> np.ndarray:
        return self.rotation @ np.asarray(point, dtype=np.float64)

    def holds(self, point: tuple[float, float, float]) -> bool:
        voxel = self.volume.voxel(self.world(point))
        return bool(np.all(voxel > -0.5) and np.all(voxel < np.array(self.volume.shape) - 0.5))


def leaning_head(
    lean_deg: tuple[float, float, float] = (0, 0, 0),
    *,
    spacing_mm: tuple[float, float, float] = (3.0, 3.0, 3.0),
    low: tuple[float, float, float] = LOW,
    high: tuple[float, float, float] = HIGH,
    hu: bool = False,
) -> LeaningHead:
    rotation = Rotation.from_euler("xyz", lean_deg, degrees=True).as_matrix()
    head = digital_head(HeadParameters(support=None))
    shape = tuple(int(n) for n in np.ceil((np.array(high) - np.array(low)) / spacing_mm))
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing_mm)
    affine[:3, 3] = low
    own = np.eye(4)
    own[:3, :3] = rotation.T
    own = own @ affine
    data = np.zeros(shape, dtype=np.int16)
    if hu:
        for k in range(shape[2]):
            plane = Plane(own[:3, 3] + k * own[:3, 2], own[:3, 0], own[:3, 1], shape[1], shape[0], max(spacing_mm))
            data[:, :, k] = np.rint(head.hu(plane)).T
    brain = LabelMap(head.intracranial_mask(own, shape).astype(np.uint8), affine, BRAIN, "truth")
    return LeaningHead(Volume(data, affine), brain, rotation)
