"""The intracranial space and the skull of a head whose label map comes from MR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cormack.physics.synthesis.anatomy import BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.smooth import distance, largest, smooth_field

#: Classes that lie inside the inner table.
INSIDE = (Tissue.CSF, Tissue.GRAY, Tissue.WHITE, Tissue.VESSEL, Tissue.DURA)
#: Grooves narrower than twice this are bridged (mm): the inner table is smooth.
CLOSING_MM = 4.0
#: Area of the foramen magnum: the lowest slice with more than this lies above it (mm²).
FORAMEN_MM2 = 950.0
#: The plane of the foramen rises to the front by this (mm per mm), as basion lies above opisthion here.
FORAMEN_SLOPE = 0.12
#: Bone of the label map beyond this distance from the inner table belongs to the face (mm).
VAULT_MM = 13.0


@dataclass(frozen=True)
class Foramen:
    """Centre of the foramen magnum in voxels and the slope of its plane along j."""

    i: float
    j: float
    k: float
    slope: float = FORAMEN_SLOPE

    def height(self, shape: tuple[int, int, int]) -> FloatImage:
        """Voxels above the plane, shape (1, j, k)."""
        j, k = np.ogrid[: shape[1], : shape[2]]
        return np.asarray(k - self.k - self.slope * (j - self.j), dtype=np.float32)[None]


def intracranial(labels: Codes) -> BoolArray:
    """The space inside the inner table: closed, smooth, one part; still with the canal below the foramen."""
    inside = np.isin(labels, INSIDE)
    core = ndimage.binary_erosion(inside, iterations=3)
    core = largest(core)
    inside &= ndimage.binary_dilation(core, iterations=5)
    padded = np.pad(inside, 6, mode="edge")
    closed = distance(distance(~padded) <= CLOSING_MM) > CLOSING_MM
    closed = closed[6:-6, 6:-6, 6:-6] | inside
    for k in range(closed.shape[2]):
        closed[:, :, k] = ndimage.binary_fill_holes(closed[:, :, k])
    smooth = ndimage.gaussian_filter(closed.astype(np.float32), 1.5, mode="nearest")
    return largest(smooth > 0.5)


def find_foramen(inside: BoolArray) -> Foramen:
    """Where the space narrows to the foramen magnum (grid of 1 mm)."""
    area = inside.sum(axis=(0, 1))
    top = int(area.argmax())
    narrow = np.flatnonzero(area[:top] <= FORAMEN_MM2)
    k = int(narrow[-1]) + 1 if len(narrow) else int(np.flatnonzero(area)[0])
    i, j = (float(np.mean(n)) for n in np.nonzero(largest(inside[:, :, k])))
    return Foramen(i, j, k)


def skull(labels: Codes, inside: BoolArray, depth: FloatImage, foramen: Foramen, rng: np.random.Generator) -> Codes:
    """Bone, diploe, air cells and dense petrous bone, 0 where there is none.

    Parameters
    ----------
    labels : uint8 array, shape (i, j, k)
        BrainWeb's classes.
    inside : bool array
    depth : float array
        Distance below the inner table, negative outside (mm).
    foramen : Foramen
    rng : Generator
        Thickness of the bone, air cells.
    """
    shape = labels.shape
    above = foramen.height(shape)
    hard = np.isin(labels, (Tissue.BONE, Tissue.MARROW))
    vault = hard & (depth > -VAULT_MM)
    least = np.clip(3.0 + 0.8 * smooth_field(shape, 30.0, rng) + rng.uniform(-1.0, 2.0), 1.6, 7.0)
    vault |= (depth <= 0) & (-depth < least)
    vault = ndimage.gaussian_filter(vault.astype(np.float32), 0.9) > 0.45
    # Below the plane bone around the canal belongs to the vertebrae.
    vault = vault & (above > -4.0) & (labels > 0)
    vault |= (depth <= 0) & (-depth < 1.6) & (above > 1.0)
    vault &= ~inside
    code = np.zeros(shape, dtype=np.uint8)
    face = hard & ~vault & ~inside
    code[face] = Tissue.BONE
    code[face & (labels == Tissue.MARROW)] = Tissue.MARROW
    code[vault] = Tissue.BONE
    below_outer = distance(vault | inside)
    table = rng.uniform(1.0, 1.8)
    code[vault & (-depth > table + 0.5) & (below_outer > table)] = Tissue.MARROW
    _sinuses(code, labels, depth, foramen)
    _petrous(code, depth, foramen, rng)
    return code


def _sinuses(code: Codes, labels: Codes, depth: FloatImage, foramen: Foramen) -> None:
    """Air where the label map has thick bone in the face, or a hole: there MR sees neither."""
    j = np.arange(code.shape[1])[None, :, None]
    front = j > foramen.j + 32
    thick = distance((labels == Tissue.BONE) & (depth < -1.5))
    code[(thick > 1.8) & front] = Tissue.SINUS
    parts, _ = ndimage.label(labels == 0)
    outside = np.unique(
        np.concatenate([parts[0].ravel(), parts[-1].ravel(), parts[:, -1].ravel(), parts[:, 0].ravel()])
    )
    code[(labels == 0) & ~np.isin(parts, outside)] = Tissue.SINUS


def _petrous(code: Codes, depth: FloatImage, foramen: Foramen, rng: np.random.Generator) -> None:
    """Dense bone beside the clivus and air cells of the mastoids."""
    i, j, k = np.ogrid[: code.shape[0], : code.shape[1], : code.shape[2]]
    aside = np.abs(i - foramen.i).astype(np.float32)
    # The pyramid points forward to the middle.
    along = (j - foramen.j - 34 + 0.55 * aside).astype(np.float32)
    up = (k - foramen.k - 20).astype(np.float32)
    zone = ((aside - 42) / 30) ** 2 + (along / 16) ** 2 + (up / 17) ** 2 < 1
    soft = np.isin(code, (0, Tissue.SINUS)) & (depth < -1.2) & (depth > -14)
    code[zone & soft & (aside < 58)] = Tissue.BONE
    bone = np.isin(code, (Tissue.BONE, Tissue.MARROW))
    code[zone & bone] = Tissue.PETROUS
    # The apex holds marrow, the labyrinth fluid: the pyramid is not even.
    code[zone & bone & (smooth_field(code.shape, 4.5, rng) > rng.uniform(0.4, 1.2)) & (depth < -1.8)] = Tissue.MARROW
    cells = smooth_field(code.shape, 3.0, rng) > rng.uniform(-0.3, 1.2)
    mastoid = ((aside - 52) / 14) ** 2 + ((along + 4) / 20) ** 2 + (up / 22) ** 2 < 1
    code[mastoid & cells & np.isin(code, (Tissue.PETROUS, Tissue.BONE, Tissue.MARROW)) & (depth < -2.2)] = (
        Tissue.MASTOID
    )
