"""A whole head with its neck from a label map that comes from MR: as CT sees it, or with its tissues as they are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import DEPTH_STEPS_PER_MM, Anatomy, BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.face import paint_face
from cormack.physics.synthesis.hounsfield import Range
from cormack.physics.synthesis.neck import SHOULDERS_MM, Build, Slab, canal, fill, outline, paint_canal
from cormack.physics.synthesis.skull import INSIDE, Foramen, find_foramen, intracranial, skull
from cormack.physics.synthesis.smooth import distance, signed, smooth_field

#: Voxels added around the head: left and right, back and front, below and above.
MARGIN = ((20, 20), (14, 16), (118, 6))
#: The falx is sought so far beside the midline, reaches so deep below the vault, ends so far above the foramen (mm).
FALX_REACH, FALX_DEPTH_MM, FALX_ABOVE_MM = 7, 32.0, 48.0
#: The first slices of a model are not used: classes at its rim are not to be trusted.
FIRST_SLICE = 1


def head_anatomy(
    labels: LabelMap,
    rng: np.random.Generator,
    *,
    name: str = "",
    as_it_is: bool = False,
    shoulders_mm: Range = SHOULDERS_MM,
) -> Anatomy:
    """A head with neck for synthesis; another `rng`, another skull, scalp, cortex and neck.

    Takes about 12 s; make several per subject once and keep them (`anatomy.save_anatomy`).

    Parameters
    ----------
    labels : LabelMap
        A BrainWeb model at 1 mm, RAS+ axes (`files.minc.read_brainweb`).
    rng : Generator
    name : str
    as_it_is : bool
        The label map's own tissues stay, bone and face as MR shows them, and only what lies below it is made.
    shoulders_mm : range
        They begin so far below the label map.

    Raises
    ------
    InputError
        If the voxels are not of 1 mm.
    """
    steps = np.linalg.norm(labels.affine[:3, :3], axis=0)
    if np.abs(steps - 1).max() > 0.05:
        raise InputError(f"head_anatomy needs voxels of 1 mm, not {steps.round(2).tolist()}; read with reduce=2")
    codes = np.ascontiguousarray(labels.data[:, :, FIRST_SLICE:], dtype=np.uint8)
    codes = np.pad(codes, (MARGIN[0], MARGIN[1], (0, MARGIN[2][1])))
    inside = intracranial(codes)
    foramen = find_foramen(inside)
    build = Build.random(rng, shoulders_mm)
    slab = Slab.of((codes.shape[0], codes.shape[1], MARGIN[2][0]), foramen, build)
    edge = canal(slab, inside[:, :, 0])
    body = np.concatenate([outline(slab, _filled(codes[:, :, 0] > 0), build), _head(codes)], axis=2)
    skin_mm = _skin_depth(body)
    tissues = np.zeros(body.shape, dtype=np.uint8)
    depth = signed(np.concatenate([edge[:, :, -20:] < 0, inside], axis=2))
    low = MARGIN[2][0]
    above = depth[:, :, 20:]
    if as_it_is:
        tissues[:, :, low:] = codes
    else:
        bone = skull(codes, inside, above, foramen, rng)
        tissues[:, :, low:] = _upper(codes, inside, bone, above, skin_mm[:, :, low:], foramen, rng)
    tissues[:, :, :low] = fill(slab, body[:, :, :low], skin_mm[:, :, :low], build, rng)
    paint_canal(slab, tissues[:, :, :low], edge)
    whole = np.concatenate([np.maximum(-edge[:, :, :-20], -31), depth], axis=2)
    return _assembled(tissues, whole, foramen, labels.affine, name)


def _assembled(tissues: Codes, depth: FloatImage, foramen: Foramen, affine: FloatArray, name: str) -> Anatomy:
    low = MARGIN[2][0]
    shape = tissues.shape
    lowered = Foramen(foramen.i, foramen.j, foramen.k + low, foramen.slope)
    target = (depth > 0) & (lowered.height((shape[0], shape[1], shape[2])) > 0)
    steps = np.clip(np.rint(depth * DEPTH_STEPS_PER_MM), -127, 127).astype(np.int8)
    moved = np.array(affine, dtype=np.float64)
    first = np.array([-MARGIN[0][0], -MARGIN[1][0], FIRST_SLICE - low], dtype=np.float64)
    moved[:3, 3] += moved[:3, :3] @ first
    return Anatomy(tissues, target.astype(np.uint8), steps, moved, name)


def _filled(plane: BoolArray) -> BoolArray:
    return np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(plane, iterations=4)))


def _head(codes: Codes) -> BoolArray:
    """Everything within the skin; specks of noise around the head are dropped."""
    body = ndimage.binary_opening(codes > 0, iterations=1)
    for k in range(body.shape[2]):
        body[:, :, k] = ndimage.binary_fill_holes(body[:, :, k])
    parts, _ = ndimage.label(body)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


def _skin_depth(body: BoolArray) -> FloatImage:
    """Distance below the skin (mm), from every second voxel: enough to tell layers apart."""
    coarse = np.pad(body[::2, ::2, ::2], ((0, 0), (0, 0), (1, 0)), mode="edge")
    depth = 2.0 * distance(coarse)[:, :, 1:] - 1.0
    fine = np.asarray(ndimage.zoom(depth, 2, order=1, grid_mode=False), dtype=np.float32)
    pads = [(0, max(0, n - m)) for n, m in zip(body.shape, fine.shape, strict=True)]
    i, j, k = body.shape
    return np.where(body, np.maximum(np.pad(fine, pads, mode="edge")[:i, :j, :k], 0.5), 0)


def _upper(
    codes: Codes,
    inside: BoolArray,
    bone: Codes,
    depth: FloatImage,
    skin_mm: FloatImage,
    foramen: Foramen,
    rng: np.random.Generator,
) -> Codes:
    """Tissues of the head above the first slice."""
    result = _soft(codes, depth, skin_mm, foramen, rng)
    result[bone > 0] = bone[bone > 0]
    paint_face(result, depth, skin_mm, foramen, rng)
    brain = _brain(codes, inside, depth, rng)
    _falx(brain, inside, depth, foramen)
    result[inside] = brain[inside]
    return result


def _soft(codes: Codes, depth: FloatImage, skin_mm: FloatImage, foramen: Foramen, rng: np.random.Generator) -> Codes:
    """Scalp and face: skin, fat below it, muscle on the temple and in the nape."""
    shape = codes.shape
    body = skin_mm > 0
    code = np.zeros(shape, dtype=np.uint8)
    above = foramen.height((shape[0], shape[1], shape[2]))
    code[body] = Tissue.MUSCLE
    code[body & np.isin(codes, (Tissue.FAT, Tissue.CONNECTIVE))] = Tissue.FAT
    scalp = body & (above > 35 + 10 * smooth_field(shape, 40.0, rng)) & (depth > -22)
    code[scalp] = Tissue.FAT
    # A thick scalp beside the skull is the temporal muscle.
    thick = skin_mm - depth > 12 + 2 * smooth_field(shape, 30.0, rng)
    lateral = np.abs(np.arange(shape[0])[:, None, None] - foramen.i) > 42
    code[scalp & thick & lateral & (skin_mm > 3.5) & (above < 85)] = Tissue.MUSCLE
    code[scalp & (np.abs(skin_mm - rng.uniform(4, 7)) < 0.7)] = Tissue.MUSCLE
    code[body & (skin_mm < rng.uniform(1.6, 2.6))] = Tissue.SKIN
    return code


def _brain(codes: Codes, inside: BoolArray, depth: FloatImage, rng: np.random.Generator) -> Codes:
    """Tissues within the inner table: specks smoothed, fluid where the label map has none, wider with age."""
    gray, white = codes == Tissue.GRAY, codes == Tissue.WHITE
    brain = gray | white
    share = ndimage.gaussian_filter(white.astype(np.float32) - gray, 0.8)
    code = np.full(codes.shape, Tissue.CSF, dtype=np.uint8)
    code[brain] = np.where(share[brain] > 0, Tissue.WHITE, Tissue.GRAY)
    widening = rng.choice([0.0, 0.0, 0.35, 0.5])
    if widening:
        fluid = ndimage.gaussian_filter((~brain & inside).astype(np.float32), 0.9)
        code[inside & (fluid > 1 - widening - 0.2)] = Tissue.CSF
    code[(codes == Tissue.VESSEL) & inside] = Tissue.VESSEL
    stays = np.isin(codes, INSIDE)
    code[inside & ~stays & (depth < 2.0)] = Tissue.DURA
    code[inside & (depth < rng.uniform(0.6, 1.4))] = Tissue.DURA
    return code


def _falx(code: Codes, inside: BoolArray, depth: FloatImage, foramen: Foramen) -> None:
    """The fold of dura between the hemispheres, where the fluid between them is widest, in place."""
    middle = round(foramen.i)
    strip = slice(middle - FALX_REACH, middle + FALX_REACH + 1)
    fluid = ndimage.gaussian_filter((inside[strip] & ~np.isin(code[strip], (Tissue.GRAY, Tissue.WHITE))) * 1.0, 1.5)
    ridge = ndimage.median_filter(fluid.argmax(axis=0), 9)
    j, k = np.ogrid[: code.shape[1], : code.shape[2]]
    i = ridge + strip.start
    found = (code[i, j, k] == Tissue.CSF) & (depth[i, j, k] < FALX_DEPTH_MM) & (k > foramen.k + FALX_ABOVE_MM)
    where = np.nonzero(found)
    code[i[where], where[0], where[1]] = Tissue.DURA
