"""An anatomy around a label map of the structures of `core.neuroanatomy.NEUROANATOMY_FINE`."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import DEPTH_STEPS_PER_MM, Anatomy, BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.smooth import distance, signed, smooth_field


class Fine(IntEnum):
    """Values of `core.neuroanatomy.NEUROANATOMY_FINE`."""

    OUTSIDE = 0
    BRAINSTEM = 1
    SUBARACHNOID = 2
    DURA = 3
    SEPTUM = 4
    CEREBELLUM = 5
    CAUDATE = 6
    LENTIFORM = 7
    INSULA = 8
    CAPSULE = 9
    VENTRICLES = 10
    CENTRAL_SULCUS = 11
    FRONTAL = 12
    PARIETAL = 13
    OCCIPITAL = 14
    TEMPORAL = 15
    THALAMUS = 16


LOBES = (Fine.FRONTAL, Fine.PARIETAL, Fine.OCCIPITAL, Fine.TEMPORAL)
#: Voxels of 1 mm that are added on every side for bone and scalp.
MARGIN = 17
#: Labels that a brain which fills its skull has more of, and those that lie along narrow ventricles.
FILLING = (*LOBES, Fine.CEREBELLUM, Fine.BRAINSTEM)
ALONG_VENTRICLES = (*FILLING, Fine.CAUDATE, Fine.CAPSULE, Fine.THALAMUS)
#: The central sulcus loses so much of what the subarachnoid space loses along the brain, ventricles so much at most.
SULCUS_LOSS, VENTRICLE_LOSS = 0.5, 0.4
#: A fold of dura this far from its surface holds a sinus (mm).
SINUS_MM = 2.0
#: Holes of a label map this deep are calcifications of choroid plexus or pineal gland (mm).
HOLE_DEPTH_MM = 20.0


def filled(labels: Codes) -> tuple[Codes, BoolArray]:
    """Labels with their holes filled by the nearest label, and where the holes were."""
    inside = labels > 0
    holes = ndimage.binary_fill_holes(inside) & ~inside
    for k in range(labels.shape[2]):
        flat = ndimage.binary_fill_holes(inside[:, :, k]) & ~inside[:, :, k]
        # Larger gaps are bone: petrous ridges and the floor of the anterior fossa.
        parts, _ = ndimage.label(flat)
        holes[:, :, k] |= flat & (np.bincount(parts.ravel())[parts] < 60)
    where = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return np.where(holes, labels[tuple(where)], labels), np.asarray(holes)


def tightened(labels: Codes, by_mm: float, rng: np.random.Generator, tissues: Codes | None = None) -> Codes:
    """Labels of a head that its brain fills, as in the young: narrow sulci, cisterns and ventricles.

    Parameters
    ----------
    labels : uint8 array, shape (i, j, k)
        `Fine` values on voxels of 1 mm.
    by_mm : float
        Subarachnoid space so close to the brain, give or take a third, becomes brain.
    rng : Generator
    tissues : uint8 array, shape (i, j, k), optional
        Changed along with the labels, in place.

    Returns
    -------
    uint8 array, shape (i, j, k)
        Other labels; those given stay.
    """
    reach = by_mm * (1 + 0.3 * smooth_field(labels.shape, 12.0, rng))
    sulcus, ventricles = labels == Fine.CENTRAL_SULCUS, labels == Fine.VENTRICLES
    result = labels.copy()

    def give(where: BoolArray, nearest: npt.NDArray[np.intp]) -> None:
        source = tuple(index[where] for index in nearest)
        result[where] = labels[source]
        if tissues is not None:
            tissues[where] = tissues[source]

    away, nearest = ndimage.distance_transform_edt(~np.isin(labels, FILLING), return_indices=True)
    give((labels == Fine.SUBARACHNOID) & (away < reach), nearest)
    give(sulcus & (away < SULCUS_LOSS * reach), nearest)
    away, nearest = ndimage.distance_transform_edt(ventricles, return_indices=True)
    along = np.isin(labels[tuple(nearest)], ALONG_VENTRICLES)
    give(ventricles & along & (away < rng.uniform(0, VENTRICLE_LOSS) * reach + 0.5), nearest)
    return result


def drawn_tissues(labels: Codes, rng: np.random.Generator) -> Codes:
    """Tissues for labels that do not tell gray from white matter, on voxels of 1 mm.

    The cortex is a ribbon of random thickness along the fluid and along invisible sulci that smooth noise draws.
    Labels of fluid are wider than the fluid by a random rim, as observers draw them on CT.
    """
    shape = labels.shape
    fluid = np.isin(labels, (Fine.SUBARACHNOID, Fine.CENTRAL_SULCUS))
    outside = labels == Fine.OUTSIDE
    lobes = np.isin(labels, LOBES)
    result = np.full(shape, Tissue.GRAY, dtype=np.uint8)
    result[outside] = Tissue.AIR
    result[np.isin(labels, (Fine.CAPSULE, Fine.SEPTUM))] = Tissue.WHITE
    hull_mm = distance(~outside)
    result[lobes & ~_cortex(fluid | outside | (labels == Fine.DURA), hull_mm, rng)] = Tissue.WHITE
    cerebellum = labels == Fine.CEREBELLUM
    core = distance(cerebellum | (labels == Fine.BRAINSTEM)) > rng.uniform(7, 10) + 3 * smooth_field(shape, 7.0, rng)
    result[cerebellum & (core | (np.abs(smooth_field(shape, 5.0, rng)) < 0.12))] = Tissue.WHITE
    _paint_stem(result, labels, rng)
    _paint_fluid(result, labels, fluid, outside, rng)
    _paint_dura(result, labels == Fine.DURA)
    return result


def _cortex(beyond: BoolArray, hull_mm: FloatImage, rng: np.random.Generator) -> BoolArray:
    """Where a lobe is gray, given what lies beyond the pia."""
    ragged = 1 + 0.3 * smooth_field(beyond.shape, 6.0, rng)
    ribbon = distance(~beyond) < rng.uniform(2.6, 3.4) * ragged
    sulci = np.abs(smooth_field(beyond.shape, 11.0, rng)) < rng.uniform(0.16, 0.26)
    return np.asarray(ribbon | (sulci & (hull_mm < 18 + 5 * smooth_field(beyond.shape, 20.0, rng))))


def _paint_stem(tissues: Codes, labels: Codes, rng: np.random.Generator) -> None:
    """Brainstem as a mixture, white matter with gray sheets around the lentiform nucleus, in place."""
    stem = labels == Fine.BRAINSTEM
    tissues[stem] = Tissue.CORD
    nuclei = np.isin(labels, (Fine.LENTIFORM, Fine.CAPSULE))
    if nuclei.any():
        lowest = int(np.flatnonzero(nuclei.any(axis=(0, 1)))[0])
        upper = stem & (np.arange(labels.shape[2]) >= lowest - 2)
        tissues[upper] = np.where(smooth_field(labels.shape, 5.0, rng) > 0.4, Tissue.GRAY, Tissue.WHITE)[upper]


def _paint_fluid(tissues: Codes, labels: Codes, fluid: BoolArray, outside: BoolArray, rng: np.random.Generator) -> None:
    """Fluid within its labels but for a rim, which is cortex, in place."""
    tissues[labels == Fine.VENTRICLES] = Tissue.CSF
    rim_mm = rng.uniform(0.0, 1.0)
    # The rim lies on the side of the brain, not on that of the bone.
    wide = distance(fluid | outside | (labels == Fine.DURA)) > rim_mm + 0.5 * smooth_field(labels.shape, 9.0, rng)
    tissues[fluid & wide] = Tissue.CSF


def _paint_dura(tissues: Codes, dura: BoolArray) -> None:
    """Thin folds are dura, their thick parts sinuses, in place."""
    tissues[dura] = Tissue.DURA
    core = distance(dura) > SINUS_MM
    tissues[dura & (distance(~core) <= SINUS_MM + 1)] = Tissue.VEIN


def centred(fine: Codes) -> FloatArray:
    """An affine for voxels of 1 mm whose origin lies where it does in MNI space, to within a few millimetres.

    Raises
    ------
    InputError
        If there is no caudate nucleus with ventricles beside it.
    """
    levels = np.flatnonzero((fine == Fine.CAUDATE).any(axis=(0, 1)))
    places = np.argwhere(fine == Fine.VENTRICLES)
    lateral = places[places[:, 2] >= levels[0]] if len(levels) else places[:0]
    if not len(lateral):
        raise InputError("a label map needs caudate nuclei and lateral ventricles: its place is taken from them")
    ventricles = lateral.mean(axis=0)
    affine = np.eye(4)
    affine[:3, 3] = np.array([0.0, -16.0, 14.0]) - ventricles
    return affine


def enclosed(labels: Codes, tissues: Codes, rng: np.random.Generator, *, name: str) -> Anatomy:
    """Labels and tissues with bone and scalp of random thickness around them.

    Parameters
    ----------
    labels, tissues : uint8 arrays, shape (i, j, k)
        `Fine` and `Tissue` codes on voxels of 1 mm, RAS+ axes; what lies outside of the labels is replaced.
    rng : Generator
    name : str
    """
    affine = centred(labels)
    labels, tissues = np.pad(labels, MARGIN), np.pad(tissues, MARGIN)
    depth = signed(labels > 0)
    away = -depth
    bone_mm = rng.uniform(5, 8) + 0.8 * smooth_field(depth.shape, 30.0, rng)
    table_mm = bone_mm * np.float32(rng.uniform(0.2, 0.33))
    scalp_mm = bone_mm + rng.uniform(3, 7) + 0.8 * smooth_field(depth.shape, 40.0, rng)
    shell = np.full(depth.shape, Tissue.AIR, dtype=np.uint8)
    for limit, tissue in (
        (scalp_mm + 2, Tissue.SKIN),
        (scalp_mm, Tissue.FAT),
        (bone_mm, Tissue.BONE),
        (bone_mm - table_mm, Tissue.MARROW),
        (table_mm, Tissue.BONE),
    ):
        shell[away < limit] = tissue
    outside = labels == Fine.OUTSIDE
    tissues[outside] = shell[outside]
    affine[:3, 3] -= MARGIN
    steps = np.clip(np.rint(depth * DEPTH_STEPS_PER_MM), -127, 127).astype(np.int8)
    return Anatomy(tissues, labels, steps, affine, name)


def manual_head(labels: Codes, rng: np.random.Generator, *, tighten_mm: float = 0.0, name: str = "") -> Anatomy:
    """An anatomy from labels of 1 mm that hold no tissues; another `rng`, another cortex, bone and scalp.

    Parameters
    ----------
    labels : uint8 array, shape (i, j, k)
        `Fine` values, RAS+ axes, as `between_slices` gives them.
    rng : Generator
    tighten_mm : float
        See `tightened`.
    name : str
    """
    whole, holes = filled(labels)
    if tighten_mm:
        whole = tightened(whole, tighten_mm, rng)
    padded = np.pad(whole, 1)
    tissues = drawn_tissues(padded, rng)[1:-1, 1:-1, 1:-1]
    deep = holes & (distance(whole > 0) > HOLE_DEPTH_MM)
    tissues[deep] = Tissue.CALCIFICATION
    return enclosed(whole, tissues, rng, name=name)
