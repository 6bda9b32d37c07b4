"""A head of ellipsoids whose parts are known exactly: brain, skull with a foramen and a canal, scalp, air, table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from cormack.core.volume import Unit, Volume
from cormack.dicom.read import read_scan
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.imaging.reslice import reslice

AIR, SCALP, BONE, BRAIN, MUSCLE = -1000, 20, 1000, 32, 50


@dataclass(frozen=True)
class Phantom:
    volume: Volume
    brain: npt.NDArray[np.bool_]
    head: npt.NDArray[np.bool_]


def head_phantom(
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0),
    *,
    hole_mm: float = 0.0,
    table: bool = False,
    foramen: bool = True,
    noise_hu: float = 0.0,
) -> Phantom:
    """An upright head of 150 x 180 x 140 mm with 7 mm of skull on a neck, sampled at voxel centres.

    The foramen magnum is a cylinder of 15 mm radius through the lowest point of the skull; it leads into a bony canal.
    `hole_mm` is the radius of a defect of the left vault.
    """
    size = (180.0, 220.0, 190.0)
    shape = tuple(int(s / h) for s, h in zip(size, spacing_mm, strict=True))
    x, y, z = np.ogrid[tuple(slice(0, n) for n in shape)]
    x, y, z = (c * h - o for c, h, o in zip((x, y, z), spacing_mm, (90.0, 115.0, 105.0), strict=True))

    def ellipsoid(grow: float) -> npt.NDArray[np.bool_]:
        return (x / (68 + grow)) ** 2 + (y / (83 + grow)) ** 2 + (z / (63 + grow)) ** 2 <= 1

    inside, skull, skin = ellipsoid(0), ellipsoid(7), ellipsoid(14)
    neck = (x**2 + (y / 1.1) ** 2 <= 55**2) & (z < 0)
    canal = (x**2 + y**2 <= 15**2) & (z < -55)
    spine = (x**2 + y**2 <= 25**2) & (z < -68)
    hu = np.full(shape, AIR, np.int16)
    hu[neck] = MUSCLE
    hu[skin] = SCALP
    hu[skull & ~inside] = BONE
    hu[spine & ~inside] = BONE
    if foramen:
        hu[canal & ~inside] = BRAIN
    hu[inside] = BRAIN
    if hole_mm:
        hu[(y**2 + z**2 <= hole_mm**2) & (x < -40) & skull & ~inside] = SCALP
    head = neck | skin
    if table:
        slab = (np.abs(y + 97) <= 2.5) & (np.abs(x) < 100) & (z > -1000)
        hu[slab & ~head] = -60
    if noise_hu:
        noisy = hu + np.random.default_rng(0).normal(0, noise_hu, shape)
        hu = np.rint(noisy.clip(-1024, 3071)).astype(np.int16)
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = (-90, -115, -105)
    return Phantom(Volume(hu, affine), inside, head)


def load_head(folder: Path) -> Volume:
    """A DICOM folder as the rectified volume that extraction works on, thinned in the plane for speed."""
    assembly = read_scan(folder).assembly
    volume = rectify(condition(assembly.stack, assembly.padding_hu).stack).volume
    step = 2 if volume.spacing_mm[0] < 0.6 else 1
    return Volume(volume.data[::step, ::step], volume.affine @ np.diag([step, step, 1, 1]))


def reference_on(volume: Volume, path: Path) -> npt.NDArray[np.bool_]:
    """A reference mask resampled linearly onto the grid of a volume."""
    image = nib.load(path)
    share = Volume(np.asarray(image.dataobj, dtype=np.float32), image.affine, unit=Unit.PROBABILITY, outside=0.0)
    return np.asarray(reslice(share, volume.affine, volume.shape).data >= 0.5)
