"""What surgery and injury leave: missing bone, flaps, holes, cavities, drains, metal, swollen scalp."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import BRAIN_TISSUES, BoolArray, FloatImage, Tissue
from cormack.physics.synthesis.scene import BONE_TISSUES, OVER, Box, Scene
from cormack.physics.synthesis.smooth import distance

#: Bone farther outside the inner table than this is no vault (mm).
VAULT_MM = 16.0
_SOFT_OUTSIDE = (Tissue.FAT, Tissue.SKIN, Tissue.MUSCLE, Tissue.CONNECTIVE)


def craniectomy(scene: Scene) -> None:
    """Bone taken away; the brain bulges or sinks, and the scalp lies on it.

    The target goes on with the missing inner table, moved as the brain is: what is under the scalp and was within the
    skull counts.
    """
    rng = scene.rng
    centre, outwards = scene.vault_place(0.45)
    radius = rng.uniform(22, 60)
    box, window, depth = _opening(scene, centre, radius)
    bone = window & OVER[BONE_TISSUES][scene.tissues[box]]
    filling = Tissue(int(rng.choice([Tissue.MUSCLE, Tissue.SWELLING, Tissue.SKIN, Tissue.CSF])))
    scene.tissues[box][bone] = filling
    scene.tissues[box][bone & (depth > -1.5)] = Tissue.DURA
    push = outwards * rng.uniform(-6, 14)
    scene.press(centre, 0.55 * radius, 0.0, push)
    scene.facts["bulge_mm"] = round(float(push @ outwards), 1)
    if rng.random() < 0.4:
        resection(scene, centre - outwards * rng.uniform(5, 25))


def craniotomy(scene: Scene) -> None:
    """A flap of bone put back: gaps around it, burr holes at its corners, small plates."""
    rng = scene.rng
    centre, outwards = scene.vault_place(0.45)
    radius = rng.uniform(16, 42)
    box, window, _ = _opening(scene, centre, radius + 8)
    i, j, k = scene.offsets(box, centre)
    away = np.sqrt(i**2 + j**2 + k**2)
    bone = window & OVER[BONE_TISSUES][scene.tissues[box]]
    gap = np.abs(away - radius) < rng.uniform(0.5, 2.0)
    scene.tissues[box][bone & gap] = Tissue(int(rng.choice([Tissue.MUSCLE, Tissue.CSF, Tissue.GAS, Tissue.CONNECTIVE])))
    across = _perpendicular(outwards, rng)
    for n in range(int(rng.integers(2, 6))):
        angle = n * rng.uniform(1.0, 1.6)
        rim = centre + radius * (np.cos(angle) * across[0] + np.sin(angle) * across[1])
        _hole(scene, rim, rng.uniform(4, 7), metal=bool(rng.random() < 0.3))
    if rng.random() < 0.35:
        resection(scene, centre - outwards * rng.uniform(8, 30))


def burr_hole(scene: Scene) -> None:
    """A hole, and often a drain through it to the ventricle."""
    rng = scene.rng
    centre, _ = scene.vault_place(0.55)
    _hole(scene, centre, rng.uniform(3.5, 8), metal=False)
    if rng.random() < 0.6:
        _drain(scene, centre, scene.middle + rng.uniform(-15, 15, 3))


def resection(scene: Scene, centre: FloatArray | None = None) -> None:
    """A cavity with fluid, sometimes with air or blood in it."""
    rng = scene.rng
    place = scene.brain_place((0, 20)) if centre is None else centre
    box, body = scene.blob(place, rng.uniform(8, 28) * rng.uniform(0.8, 1.25, 3), 0.35)
    inside = (body < 1) & (scene.targets[box] > 0)
    scene.paint(box, inside, Tissue.CAVITY, (*BRAIN_TISSUES, Tissue.OEDEMA, Tissue.INFARCT))
    _, j, _ = scene.offsets(box, place)
    if rng.random() < 0.25:
        scene.paint(box, inside & (j > rng.uniform(0, 10)), Tissue.GAS, (Tissue.CAVITY,))
    if rng.random() < 0.25:
        scene.paint(box, inside & (body > rng.uniform(0.5, 0.9)), Tissue.BLOOD, (Tissue.CAVITY,))


def scalp_swelling(scene: Scene) -> None:
    """Scalp that is thick with fluid or blood over some place."""
    rng = scene.rng
    place, outwards = scene.vault_place(rng.uniform(0.2, 0.5))
    centre = place + 12 * outwards
    radius, thick = rng.uniform(20, 50), rng.uniform(3, 14)
    box = scene.box(centre, radius + thick)
    i, j, k = scene.offsets(box, centre)
    profile = np.clip(1 - (i**2 + j**2 + k**2) / radius**2, 0, None)
    air = scene.tissues[box] == Tissue.AIR
    grown = air & (distance(air) < thick * profile) & (scene.depth(box) < -4)
    soft = np.isin(scene.tissues[box], _SOFT_OUTSIDE) & (scene.depth(box) < -3) & (profile > 0.2)
    scene.tissues[box][soft] = np.where(
        scene.tissues[box][soft] == Tissue.SKIN, Tissue.SWELLING, scene.tissues[box][soft]
    )
    if rng.random() < 0.6:
        scene.tissues[box][soft] = Tissue.SWELLING
    scene.tissues[box][grown] = Tissue.SWELLING
    rim = grown & ~ndimage.binary_erosion(grown | ~air, iterations=2)
    scene.tissues[box][rim] = Tissue.SKIN


def implant(scene: Scene) -> None:
    """A clip, coil or electrode in the brain."""
    rng = scene.rng
    base = scene.middle + np.array([rng.uniform(-30, 30), rng.uniform(0, 35), -rng.uniform(0.2, 0.4) * scene.height])
    place = base if rng.random() < 0.6 else scene.brain_place((0, 31))
    box, body = scene.blob(place, rng.uniform(1.2, 5.5) * rng.uniform(0.7, 1.4, 3), 0.3)
    if scene.paint(box, body < 1, Tissue.METAL):
        scene.metals.append(place)


def dental_metal(scene: Scene) -> None:
    """Some teeth are crowned."""
    rng = scene.rng
    base = int(scene.anatomy.bounds[0][2])
    low = max(base - 60, 0)
    teeth = np.argwhere(scene.tissues[:, :, low : max(base, low + 1)] == Tissue.TOOTH)
    for _ in range(int(rng.integers(1, 6)) if len(teeth) else 0):
        place = teeth[rng.integers(len(teeth))] + np.array([0.0, 0.0, low])
        box, body = scene.blob(place, rng.uniform(2, 5), 0.2)
        if scene.paint(box, body < 1, Tissue.METAL, (Tissue.TOOTH, Tissue.MUSCLE, Tissue.AIRWAY)):
            scene.metals.append(place)


def _opening(scene: Scene, centre: FloatArray, radius: float) -> tuple[Box, BoolArray, FloatImage]:
    """The vault around a place on its inner table: box, mask, depth."""
    box = scene.box(centre, radius + 6)
    i, j, k = scene.offsets(box, centre)
    depth = scene.depth(box)
    irregular = 1 + 0.12 * np.sin(np.arctan2(k, i + 1e-3) * 3 + scene.rng.uniform(0, 6))
    mask = (np.sqrt(i**2 + j**2 + k**2) < radius * irregular) & (depth <= 0) & (depth > -VAULT_MM)
    return box, np.asarray(mask), depth


def _perpendicular(direction: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    first = np.cross(direction, rng.standard_normal(3))
    first /= np.linalg.norm(first)
    return np.asarray(first), np.asarray(np.cross(direction, first))


def _hole(scene: Scene, centre: FloatArray, radius: float, *, metal: bool) -> None:
    """Bone around a place replaced by scar, with a plate of metal on top by choice."""
    box = scene.box(centre, radius + 14)
    i, j, k = scene.offsets(box, centre)
    depth = scene.depth(box)
    # Along the normal the hole goes through; the depth tells how far out a voxel lies.
    sideways = np.sqrt(np.clip(i**2 + j**2 + k**2 - depth**2, 0, None))
    bone = (depth <= 0) & (depth > -VAULT_MM) & (sideways < radius) & OVER[BONE_TISSUES][scene.tissues[box]]
    scene.tissues[box][bone] = Tissue.CONNECTIVE
    if metal:
        plate = (sideways < radius + 2) & bone & (depth < -3) & (depth > -5)
        scene.tissues[box][plate] = Tissue.METAL


def _drain(scene: Scene, start: FloatArray, end: FloatArray) -> None:
    """A tube from outside the hole to its tip."""
    outward = (start - end) / np.linalg.norm(start - end)
    places = np.linspace(start + 14 * outward, end, 160)
    for shift in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
        voxels = np.clip(places.round().astype(int) + np.array(shift), 0, np.array(scene.tissues.shape) - 1)
        scene.tissues[tuple(voxels.T)] = Tissue.CALCIFICATION
