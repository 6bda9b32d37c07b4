"""Lesions within the skull: bleeding, infarct, oedema, tumour, calcification, air."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import BRAIN_TISSUES, BoolArray, Tissue
from cormack.physics.synthesis.scene import Box, Scene
from cormack.physics.synthesis.smooth import distance, smooth_field

#: Fluid at least this deep is a ventricle (mm).
VENTRICLE_DEPTH_MM = 24.0


def intracerebral_haemorrhage(scene: Scene) -> None:
    """One to three bleedings with a rim of oedema that press on what is around."""
    rng = scene.rng
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        centre, radius = scene.brain_place((4, 31)), rng.uniform(4, 26)
        box, body = scene.blob(centre, radius * rng.uniform(0.75, 1.3, 3))
        scene.paint(box, body < 1.0 + rng.uniform(0.2, 1.2), Tissue.OEDEMA, (Tissue.WHITE, Tissue.GRAY))
        scene.paint(box, body < 1.0, Tissue.BLOOD, (*BRAIN_TISSUES, Tissue.OEDEMA))
        if rng.random() < 0.25:
            _, j, _ = scene.offsets(box, centre)
            scene.paint(box, (body < 1.0) & (j > rng.uniform(-0.3, 0.3) * radius), Tissue.OLD_BLOOD, (Tissue.BLOOD,))
        scene.press(centre, 1.5 * radius, rng.uniform(0.0, 0.25))


def subdural_haematoma(scene: Scene) -> None:
    """A crescent along the inner table of one or both sides: fresh, old, or with a level."""
    rng = scene.rng
    middle = scene.middle
    for side in rng.permutation([-1.0, 1.0])[: 1 + int(rng.random() < 0.2)]:
        direction = np.array([side, rng.uniform(-0.6, 0.6), rng.uniform(0.1, 0.9)])
        box, shell = _crescent(scene, middle, direction, rng.uniform(3, 20), rng.uniform(-0.1, 0.75))
        kind = str(rng.choice(["fresh", "old", "level"]))
        scene.collect(box, shell, Tissue.BLOOD if kind == "fresh" else Tissue.OLD_BLOOD)
        if kind == "level":
            _, j, _ = scene.offsets(box, middle)
            scene.paint(box, shell & (j < rng.uniform(-40, 20)), Tissue.BLOOD, (Tissue.OLD_BLOOD,))
        shift = np.array([-side * rng.uniform(0, 8), 0.0, 0.0])
        scene.press(middle, 38.0, 0.0, shift)


def subdural_hygroma(scene: Scene) -> None:
    """Fluid between brain and inner table of both sides, as in atrophy."""
    rng = scene.rng
    for side in (-1.0, 1.0):
        direction = np.array([side * 0.7, rng.uniform(0.2, 1.0), rng.uniform(0.2, 0.8)])
        box, shell = _crescent(scene, scene.middle, direction, rng.uniform(2, 10), rng.uniform(-0.1, 0.4))
        scene.collect(box, shell, Tissue.CSF)


def widen_sulci(scene: Scene) -> None:
    """Atrophy: fluid grows by a millimetre into the cortex on both banks, where a smooth field draws it.

    The cortex moves into the white matter by as much, so that it keeps its thickness.
    """
    first, last = scene.anatomy.bounds
    box = scene.box((first + last) / 2, (last - first) / 2 + 2)
    part, inside = scene.tissues[box], scene.targets[box] > 0
    drawn = smooth_field(part.shape, 25.0, scene.rng) < scene.rng.uniform(-0.5, 2.0)
    grown = ndimage.binary_dilation(part == Tissue.CSF) & (part == Tissue.GRAY) & drawn & inside
    part[grown] = Tissue.CSF
    part[ndimage.binary_dilation(grown) & (part == Tissue.WHITE)] = Tissue.GRAY
    scene.facts["wide_sulci"] = True


def epidural_haematoma(scene: Scene) -> None:
    """A lens between dura and bone."""
    rng = scene.rng
    centre, _ = scene.vault_place(0.3)
    radius, thick = rng.uniform(18, 42), rng.uniform(6, 26)
    box = scene.box(centre, radius)
    i, j, k = scene.offsets(box, centre)
    depth = scene.depth(box)
    lens = (depth > 0) & (depth < thick * (1 - (i**2 + j**2 + k**2 - depth**2) / radius**2))
    scene.collect(box, np.asarray(lens), Tissue.BLOOD)
    scene.press(centre, radius, 0.0, (scene.middle - centre) * rng.uniform(0, 0.08))


def subarachnoid_haemorrhage(scene: Scene) -> None:
    """Blood instead of fluid in cisterns and sulci around a place."""
    rng = scene.rng
    basal = bool(rng.random() < 0.6)
    centre = scene.middle if basal else scene.brain_place((1, 8))
    if basal:
        centre = centre - np.array([0.0, -5.0, 0.3 * scene.height])
    box, body = scene.blob(centre, rng.uniform(20, 55), 0.6)
    scene.paint(box, body < 1, Tissue.BLOOD, (Tissue.CSF,))
    scene.hounsfield["blood"] = (35, 80)


def ventricular_haemorrhage(scene: Scene) -> None:
    """Blood in the ventricles: a cast, or settled with a level at the back."""
    rng = scene.rng
    middle = scene.middle
    box = scene.box(middle, np.array([45.0, 75.0, 45.0]))
    deep = scene.depth(box) > VENTRICLE_DEPTH_MM
    i, j, _ = scene.offsets(box, middle)
    settled = (j < rng.uniform(-40, 0)) if rng.random() < 0.6 else (i * rng.choice([-1, 1]) > -4)
    scene.paint(box, deep & settled, Tissue.LEVEL, (Tissue.CSF,))


def infarct(scene: Scene) -> None:
    """A territory without its contrast (new), dark (days old) or fluid (old)."""
    rng = scene.rng
    centre = scene.brain_place((3, 31))
    box, body = scene.blob(centre, rng.uniform(8, 42) * rng.uniform(0.7, 1.4, 3), 0.45)
    age = str(rng.choice(["new", "recent", "old"]))
    scene.hounsfield["infarct"] = {"new": (24.0, 31.0), "recent": (14.0, 24.0), "old": (3.0, 14.0)}[age]
    scene.paint(box, body < 1, Tissue.INFARCT, (Tissue.GRAY, Tissue.WHITE))
    scene.press(centre, 30.0, {"new": 0.05, "recent": 0.12, "old": -0.15}[age])
    scene.facts["infarct_age"] = age


def white_matter_disease(scene: Scene) -> None:
    """Dark white matter around the ventricles, or oedema somewhere."""
    rng = scene.rng
    if rng.random() < 0.5:
        leukoaraiosis(scene)
        return
    centre = scene.brain_place((8, 31))
    box, body = scene.blob(centre, rng.uniform(18, 45) * rng.uniform(0.8, 1.3, 3), 0.5)
    scene.paint(box, body < 1, Tissue.OEDEMA, (Tissue.WHITE,))


def leukoaraiosis(scene: Scene) -> None:
    """Small vessels' disease: caps and bands along the ventricles, and patches beside them."""
    rng = scene.rng
    box = scene.box(scene.middle, np.array([48.0, 80.0, 50.0]))
    shape = scene.tissues[box].shape
    i, _, _ = scene.offsets(box, scene.middle)
    fluid = (scene.tissues[box] == Tissue.CSF) & (scene.depth(box) > VENTRICLE_DEPTH_MM) & (np.abs(i) < 32)
    away = (
        2 * distance(~fluid[::2, ::2, ::2]).repeat(2, 0).repeat(2, 1).repeat(2, 2)[: shape[0], : shape[1], : shape[2]]
    )
    reach_mm = rng.uniform(2, 14)
    bands = away < reach_mm * (0.7 + 0.6 * smooth_field(shape, 10.0, rng))
    patches = smooth_field(shape, 5.0, rng) > rng.uniform(1.2, 2.2)
    scene.paint(box, bands | (patches & (away < 30)), Tissue.OEDEMA, (Tissue.WHITE,))


def tumour(scene: Scene) -> None:
    """A mass in the brain or on the dura, with necrosis, rim, calcification and oedema by chance."""
    rng = scene.rng
    on_dura = bool(rng.random() < 0.4)
    radius = rng.uniform(6, 30)
    centre = scene.brain_place((0, 5) if on_dura else (8, 31))
    box, body = scene.blob(centre, radius * rng.uniform(0.8, 1.25, 3), 0.3)
    scene.paint(box, body < 1 + rng.uniform(0, 1.2), Tissue.OEDEMA, (Tissue.WHITE,))
    scene.paint(box, body < 1, Tissue.TUMOUR, (*BRAIN_TISSUES, Tissue.OEDEMA))
    if rng.random() < 0.4:
        scene.paint(box, body < rng.uniform(0.2, 0.7), Tissue.CAVITY, (Tissue.TUMOUR,))
    if rng.random() < 0.25:
        scene.paint(box, body < rng.uniform(0.05, 0.4), Tissue.CALCIFICATION, (Tissue.TUMOUR,))
    if on_dura and rng.random() < 0.4:
        _thicken(scene, centre, radius * 0.9, rng.uniform(2, 8))
    scene.press(centre, 1.5 * radius, rng.uniform(0.0, 0.2))


def calcifications(scene: Scene) -> None:
    """Pineal gland, choroid plexus, falx and basal ganglia."""
    rng = scene.rng
    middle = scene.middle
    pineal = middle + np.array([0.0, -14.0, 2.0])
    plexus = [middle + np.array([side * 24.0, -26.0, 4.0]) for side in (-1, 1)]
    nuclei = [middle + np.array([side * 20.0, 12.0, 4.0]) for side in (-1, 1)]
    falx = [middle + np.array([0.0, rng.uniform(-30, 60), rng.uniform(35, 60)])]
    for places, chance, size in (([pineal], 0.7, 3.0), (plexus, 0.6, 4.0), (nuclei, 0.25, 5.0), (falx, 0.4, 4.0)):
        if rng.random() < chance:
            for place in places:
                box, body = scene.blob(place + rng.uniform(-2, 2, 3), rng.uniform(1.2, size), 0.5)
                scene.paint(box, body < 1, Tissue.CALCIFICATION)


def pneumocephalus(scene: Scene) -> None:
    """Air below the vault in front, and bubbles."""
    rng = scene.rng
    if rng.random() < 0.6:
        direction = np.array([rng.uniform(-0.4, 0.4), 1.0, rng.uniform(0.2, 0.9)])
        box, shell = _crescent(scene, scene.middle, direction, rng.uniform(3, 22), rng.uniform(0.4, 0.85))
        scene.collect(box, shell, Tissue.GAS)
    for _ in range(int(rng.integers(0, 7))):
        box, body = scene.blob(scene.brain_place((0, 31)), rng.uniform(1.5, 6), 0.3)
        scene.paint(box, body < 1, Tissue.GAS)


def hyperostosis(scene: Scene) -> None:
    """Inner table grown inwards over the front of both sides: there the target ends earlier."""
    rng = scene.rng
    for side in (-1.0, 1.0):
        direction = np.array([side * rng.uniform(0.3, 0.7), 1.0, rng.uniform(0.2, 0.9)])
        box, shell = _crescent(scene, scene.middle, direction, rng.uniform(2, 9), rng.uniform(0.5, 0.8), 0.45)
        if scene.paint(box, shell, Tissue.BONE):
            scene.targets[box][shell & (scene.tissues[box] == Tissue.BONE)] = 0


def contrast_agent(scene: Scene) -> None:
    """Bright arteries, veins and sinuses; tumours and dura take up some."""
    rng = scene.rng
    peak = rng.uniform(120, 480)
    scene.hounsfield |= {
        "vessel": (peak, peak),
        "vein": (peak * rng.uniform(0.4, 1.1),) * 2,
        "dura": (60, 150),
        "tumour": (45, 130),
        "muscle": (55, 80),
        "gray": (36, 48),
    }


def _thicken(scene: Scene, centre: FloatArray, radius: float, thick: float) -> None:
    box = scene.box(centre, radius)
    i, j, k = scene.offsets(box, centre)
    depth = scene.depth(box)
    grown = (depth > 0) & (depth < thick * (1 - (i**2 + j**2 + k**2) / radius**2))
    grown &= scene.targets[box] > 0
    scene.tissues[box][grown] = Tissue.BONE
    scene.targets[box][grown] = 0


def _crescent(
    scene: Scene, middle: FloatArray, direction: FloatArray, thick: float, narrow: float, rough: float = 0.2
) -> tuple[Box, BoolArray]:
    """A layer below the inner table, thickest in a direction, gone where the cosine to it is below `narrow`."""
    unit = direction / np.linalg.norm(direction)
    reach = np.array([90.0, 110.0, 90.0])
    box = scene.box(middle + unit * reach * 0.55, reach * 0.8)
    i, j, k = scene.offsets(box, middle)
    length = np.sqrt(i**2 + j**2 + k**2) + 1e-3
    cosine = (i * np.float32(unit[0]) + j * np.float32(unit[1]) + k * np.float32(unit[2])) / length
    profile = np.clip((cosine - narrow) / (1 - narrow), 0, None)
    depth = scene.depth(box)
    waves = 1 + rough * np.sin(0.11 * i + scene.rng.uniform(0, 6)) * np.sin(0.13 * j + 0.12 * k)
    layer = (depth > 0) & (depth < thick * np.sqrt(profile) * waves) & (scene.targets[box] > 0)
    return box, np.asarray(layer)
