"""The structures of `core.neuroanatomy.NEUROANATOMY_FINE` composed from the Neuromorphometrics labels of an MR."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from cormack.physics.synthesis.anatomy import Anatomy, BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.labelled_head import LOBES, Fine, enclosed, tightened
from cormack.physics.synthesis.sheets import folds_of_dura
from cormack.physics.synthesis.smooth import distance, largest, signed, smooth_field

#: Labels of the right side; those of the left follow each by one.
CORTEX: dict[Fine, tuple[int, ...]] = {
    Fine.FRONTAL: (
        *(100, 104, 112, 118, 120, 124, 136, 138, 140, 142, 146, 150, 152),
        *(162, 164, 178, 182, 186, 190, 192, 204),
    ),
    Fine.PARIETAL: (106, 148, 166, 168, 174, 176, 194, 198),
    Fine.OCCIPITAL: (108, 114, 128, 134, 144, 156, 160, 196),
    Fine.TEMPORAL: (116, 122, 132, 154, 170, 180, 184, 200, 202, 206),
    Fine.INSULA: (102, 172),
}
PRECENTRAL, POSTCENTRAL = (182, 183), (176, 177)
WHITE_MATTER, CEREBELLAR_WHITE = (44, 45), (40, 41)
LATERAL_VENTRICLES = (51, 52)
#: Single labels; cerebral white matter and what is rare go to the nearest lobe.
SINGLE: dict[Fine, tuple[int, ...]] = {
    Fine.BRAINSTEM: (23, 30, 35, 61, 62, 69, 75, 76),
    Fine.SUBARACHNOID: (46,),
    Fine.CEREBELLUM: (38, 39, 40, 41, 71, 72, 73),
    Fine.CAUDATE: (36, 37),
    Fine.LENTIFORM: (55, 56, 57, 58),
    Fine.VENTRICLES: (4, 11, 49, 50, 51, 52),
    Fine.TEMPORAL: (31, 32, 47, 48),
    Fine.THALAMUS: (59, 60),
}
#: Voxels of 1 mm around the brain while it is worked on; what is cut below the medulla is drawn anew so far down.
MARGIN, CANAL_MM = 12, 18
#: What is thinner than twice this and stands out from the brain is none of it (mm).
SPIKE_MM = 2.5
#: Gaps narrower than twice this lie inside the skull (mm); above the thalamus and around the cerebellum, where there is
#: no bone between the parts of the brain, wider ones do.
CLOSING_MM, WIDE_CLOSING_MM = 7.0, 15
#: The suprasellar cistern lies within so far from the midline and reaches so far below the lentiform nucleus (mm).
CISTERN_MM = (20, 12)
#: Observers leave the central sulcus out this close to the midline (mm).
SULCUS_FROM_MIDLINE_MM = 16
#: Shares of the intracranial space that the manual maps give to the sheets and sulci.
CAPSULE_SHARE, SEPTUM_SHARE, SULCUS_SHARE, INSULA_SHARE = 0.0071, 0.0012, 0.0085, 0.0066
#: Fluid between brain and bone takes a share from this range: young heads have less of it, old ones more.
FLUID_SHARE = (0.12, 0.22)
#: The skull lies so far from the closed brain (mm), and sulci open to so far below it: observers of CT see no fluid
#: over the crowns of gyri, which the edge of the bone hides.
LAYER_MM, CROWN_MM = (-0.5, 1.0), (0.3, 1.6)
#: Lateral ventricles grow into the white matter by one of these.
WIDENINGS_MM = (0.0, 0.0, 1.0, 2.0, 3.0)


def composed_head(
    labels: Codes,
    rng: np.random.Generator,
    *,
    widen_mm: float | None = None,
    tighten_mm: float = 0.0,
    name: str = "",
) -> Anatomy:
    """An anatomy from manual labels of a T1-weighted MR; another `rng`, wider or narrower sulci, other bone.

    Parameters
    ----------
    labels : uint8 array, shape (i, j, k)
        Neuromorphometrics labels (see the tables of this module) on voxels of 1 mm, RAS+ axes.
    rng : Generator
    widen_mm : float, optional
        How far the lateral ventricles have grown into the white matter; drawn without it.
    tighten_mm : float
        See `labelled_head.tightened`.
    name : str

    Returns
    -------
    Anatomy
        Its targets are `Fine` values; the origin lies where the middle of the ventricles puts it in MNI space, about.
    """
    brain = largest(labels > 0)
    # Spikes of a few voxels are slips of the observer's hand.
    brain &= near(distance(brain) > SPIKE_MM, 6) <= SPIKE_MM + 2
    labels = np.where(brain, labels, 0).astype(np.uint8)
    where = np.argwhere(labels > 0)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    cut = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    codes = np.pad(cut, ((MARGIN, MARGIN), (MARGIN, MARGIN), (MARGIN + CANAL_MM, MARGIN)))
    codes = _steady(codes)
    _lengthen_medulla(codes)
    inside = _intracranial(codes, rng)
    fine = _structures(codes)
    tissues = _tissues(codes, inside)
    depth_mm = signed(inside)
    _open_sulci(codes, fine, tissues, depth_mm, rng)
    drawn_mm = float(rng.choice(WIDENINGS_MM))
    _widen_ventricles(codes, fine, tissues, drawn_mm if widen_mm is None else widen_mm)
    lobes_as_drawn(fine)
    _white_structures(codes, fine, tissues, inside)
    _central_sulcus(codes, fine, tissues, inside)
    folds, sinuses = folds_of_dura(codes, fine, depth_mm)
    fine[folds], tissues[folds] = Fine.DURA, Tissue.DURA
    tissues[sinuses] = Tissue.VEIN
    if tighten_mm:
        fine = tightened(fine, tighten_mm, rng, tissues)
    fine[~inside] = Fine.OUTSIDE
    return enclosed(fine, tissues, rng, name=name)


def near(mask: BoolArray, reach: int) -> FloatImage:
    """Distance to a mask in voxels, `reach` where it is farther; only the mask's surroundings are looked at."""
    result = np.full(mask.shape, np.float32(reach), dtype=np.float32)
    where = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if len(where[0]):
        box = tuple(slice(max(w[0] - reach, 0), w[-1] + reach + 1) for w in where)
        result[box] = np.minimum(distance(~mask[box]), reach)
    return result


def belongs(codes: Codes, labels: Iterable[int]) -> BoolArray:
    """Where one of some labels is."""
    table = np.zeros(256, dtype=bool)
    table[list(labels)] = True
    return np.asarray(table[codes])


def smallest(field: FloatImage, where: BoolArray, count: float) -> BoolArray:
    """The `count` voxels of a mask with the smallest values of a field."""
    values = field[where]
    number = min(int(count), len(values) - 1)
    if number < 1:
        return np.zeros_like(where)
    return np.asarray(where & (field <= np.partition(values, number)[number]))


def _steady(codes: Codes) -> Codes:
    """Edges that jump from one coronal slice to the next, smoothed: the middle one of three slices along j."""
    before, after = np.roll(codes, 1, axis=1), np.roll(codes, -1, axis=1)
    return np.where(before == after, before, codes)


def _lengthen_medulla(codes: Codes) -> None:
    """The lowest section of the brainstem goes on down the canal, in place."""
    stem = codes == 35
    area = stem.sum(axis=(0, 1))
    first = int(np.flatnonzero(area > 60)[0]) + 1
    section = ndimage.binary_opening(stem[:, :, first], iterations=1)
    for k in range(max(0, first - CANAL_MM), first):
        codes[:, :, k][section & (codes[:, :, k] == 0)] = 35


def _intracranial(codes: Codes, rng: np.random.Generator) -> BoolArray:
    """The space inside the skull: closed and smooth, wider by a random layer of fluid."""
    brain = codes > 0
    closed = distance(distance(~brain) <= CLOSING_MM) > CLOSING_MM
    closed |= brain | (near(codes == 35, 6) <= rng.uniform(3.5, 5.5))
    levels = [np.flatnonzero(belongs(codes, SINGLE[fine]).any(axis=(0, 1))) for fine in (Fine.LENTIFORM, Fine.THALAMUS)]
    upper, central, lower = brain.copy(), brain.copy(), belongs(codes, (35, *SINGLE[Fine.CEREBELLUM]))
    upper[:, :, : levels[1][-1]] = False
    central[:, :, : max(levels[0][0] - CISTERN_MM[1], 0)] = False
    central[:, :, levels[1][-1] :] = False
    middle = round(float(np.argwhere(codes == 35)[:, 0].mean()))
    cistern = np.zeros_like(brain)
    cistern[middle - CISTERN_MM[0] : middle + CISTERN_MM[0] + 1] = True
    for part, allowed in ((upper, True), (central, cistern), (lower, True)):
        closed |= allowed & (near(near(part, WIDE_CLOSING_MM) >= WIDE_CLOSING_MM, WIDE_CLOSING_MM) >= WIDE_CLOSING_MM)
    layer_mm = rng.uniform(*LAYER_MM) + 0.5 * smooth_field(brain.shape, 40.0, rng)
    wide = closed | (distance(~closed) <= layer_mm)
    wide[:, :, : MARGIN - 2] = False
    return np.asarray(ndimage.gaussian_filter(wide.astype(np.float32), 1.2) > 0.5)


def _structures(codes: Codes) -> Codes:
    """`Fine` values where the labels say them; white matter has that of the nearest lobe, the rest is fluid."""
    table = np.zeros(256, dtype=np.uint8)
    for fine, rights in CORTEX.items():
        table[[right + side for right in rights for side in (0, 1)]] = fine
    for fine, singles in SINGLE.items():
        table[list(singles)] = fine
    result = table[codes]
    unknown = (codes > 0) & (result == 0)
    lobes = np.isin(result, LOBES) & (codes >= 100)
    nearest = ndimage.distance_transform_edt(~lobes, return_distances=False, return_indices=True)
    result[unknown] = result[tuple(nearest)][unknown]
    result[codes == 0] = Fine.SUBARACHNOID
    return result


def _tissues(codes: Codes, inside: BoolArray) -> Codes:
    result = np.where(inside, np.uint8(Tissue.CSF), np.uint8(Tissue.AIR))
    result[codes > 0] = Tissue.GRAY
    result[belongs(codes, (*WHITE_MATTER, *CEREBELLAR_WHITE, 61, 62))] = Tissue.WHITE
    result[belongs(codes, (*SINGLE[Fine.VENTRICLES], 46))] = Tissue.CSF
    result[codes == 35] = Tissue.CORD
    return result


def _open_sulci(codes: Codes, fine: Codes, tissues: Codes, depth_mm: FloatImage, rng: np.random.Generator) -> None:
    """The gray matter farthest from white matter, where the banks of sulci touch, becomes fluid, in place."""
    to_white = distance(~belongs(codes, WHITE_MATTER)) + 0.3 * smooth_field(codes.shape, 3.0, rng)
    inside = depth_mm > 0
    total = np.count_nonzero(inside)
    cortex = belongs(codes, range(100, 208)) & (fine != Fine.INSULA) & (to_white > 1.8)
    cortex &= depth_mm > rng.uniform(*CROWN_MM)
    missing = rng.uniform(*FLUID_SHARE) * total - np.count_nonzero(fine[inside] == Fine.SUBARACHNOID)
    opened = smallest(-to_white, cortex, missing)
    insula = fine == Fine.INSULA
    opened |= smallest(-to_white, insula & (to_white > 1.8), np.count_nonzero(insula) - INSULA_SHARE * total)
    fine[opened], tissues[opened] = Fine.SUBARACHNOID, Tissue.CSF


def _widen_ventricles(codes: Codes, fine: Codes, tissues: Codes, by_mm: float) -> None:
    """Lateral ventricles that have grown into the white matter, in place."""
    if by_mm:
        right, left = (near(codes == label, int(by_mm) + 4) for label in LATERAL_VENTRICLES)
        # What lies half-way between them stays: the septum.
        grown = (np.minimum(right, left) <= by_mm) & (np.abs(right - left) > 2) & belongs(codes, WHITE_MATTER)
        fine[grown], tissues[grown] = Fine.VENTRICLES, Tissue.CSF


def lobes_as_drawn(fine: Codes) -> None:
    """Lobes divided as the manual maps divide axial slices, in place.

    The occipital lobe is a wedge behind the tip of the tentorium; what is beside it and the temporal lobe belong to the
    temporal lobe below the middle of the thalamus and to the parietal lobe above it.
    """
    thalamus = np.argwhere(fine == Fine.THALAMUS)
    middle, back = thalamus.mean(axis=0), thalamus[:, 1].min()
    i, j, k = np.ogrid[: fine.shape[0], : fine.shape[1], : fine.shape[2]]
    behind = (back - 22) - j
    wedge = (behind > 0) & (np.abs(i - middle[0]) < 6 + 0.75 * behind) & (k < middle[2] + 22)
    lateral = (fine == Fine.TEMPORAL) | ((fine == Fine.OCCIPITAL) & ~wedge)
    fine[lateral & (k <= middle[2])] = Fine.TEMPORAL
    fine[lateral & (k > middle[2])] = Fine.PARIETAL


def _white_structures(codes: Codes, fine: Codes, tissues: Codes, inside: BoolArray) -> None:
    """Internal capsule, outer capsules (part of the rest) and septum pellucidum, in place."""
    total = np.count_nonzero(inside)
    white = belongs(codes, WHITE_MATTER) & (fine != Fine.VENTRICLES)
    lentiform = fine == Fine.LENTIFORM
    to_lentiform, to_insula = near(lentiform, 20), near(fine == Fine.INSULA, 20)
    to_inner = near((fine == Fine.CAUDATE) | (fine == Fine.THALAMUS), 20)
    levels = lentiform.sum(axis=(0, 1)) > 60
    medial = white & levels & (to_inner < to_insula + 4)
    capsule = smallest(to_lentiform + to_inner, medial & (to_lentiform + to_inner < 16), CAPSULE_SHARE * total)
    fine[white & ~capsule & (to_lentiform + to_insula < 12)] = Fine.BRAINSTEM
    fine[capsule] = Fine.CAPSULE
    right, left = (near(codes == label, 12) for label in LATERAL_VENTRICLES)
    # Where the ventricles touch, the observer of the MR has left it out.
    touching = (fine == Fine.VENTRICLES) & (np.abs(right - left) < 1.1)
    between = (white | (codes == 0) | (codes == 46) | touching) & (right + left < 10) & (np.abs(right - left) < 4)
    third = np.flatnonzero((codes == 4).any(axis=(0, 1)))
    between[:, :, : int(np.median(third))] = False
    septum = smallest(right + left, between, SEPTUM_SHARE * total)
    fine[septum], tissues[septum] = Fine.SEPTUM, Tissue.WHITE


def _central_sulcus(codes: Codes, fine: Codes, tissues: Codes, inside: BoolArray) -> None:
    """A band between the gyri before and behind it, above the operculum, in place; fluid in its middle."""
    before, behind = (near(belongs(codes, labels), 8) for labels in (PRECENTRAL, POSTCENTRAL))
    top = int(np.flatnonzero((fine == Fine.THALAMUS).any(axis=(0, 1)))[-1])
    allowed = inside & (before + behind < 7.5) & ~belongs(codes, WHITE_MATTER)
    allowed[:, :, : top + 6] = False
    middle = round(float(np.argwhere(fine == Fine.THALAMUS)[:, 0].mean()))
    allowed[middle - SULCUS_FROM_MIDLINE_MM : middle + SULCUS_FROM_MIDLINE_MM + 1] = False
    sulcus = smallest(before + behind, allowed, SULCUS_SHARE * np.count_nonzero(inside))
    fine[sulcus] = Fine.CENTRAL_SULCUS
    tissues[sulcus & (np.abs(before - behind) < 2.2)] = Tissue.CSF
