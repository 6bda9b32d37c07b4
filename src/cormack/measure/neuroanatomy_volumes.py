"""Volumes of the fluid and of the brain relative to the intracranial space, and how unlike its two halves are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cormack.core.clinical import ClinicalMeasure
from cormack.imaging.sides import LEFT, RIGHT
from cormack.measure.neuroanatomy_head import (
    CAUDATE,
    FALX,
    FISSURE,
    SULCUS,
    VENTRICLES,
    LabelledHead,
    brain_cut,
    structure_cut,
)

#: Structures of both halves.
PAIRED = (
    CAUDATE,
    "lentiform nucleus",
    "internal capsule",
    "insular cortex",
    "thalamus",
    VENTRICLES,
    "cerebellum",
    "frontal lobe",
    "parietal lobe",
    "occipital lobe",
    "temporal lobe",
)
#: A structure that is smaller than this in both halves together is too small to be compared (ml).
LEAST_PAIR_ML = 0.5

VENTRICULAR_VOLUME = ClinicalMeasure(
    "ventricular volume", None, "ml", "voxels of the ventricular system (lateral, third, fourth) times voxel volume"
)
VENTRICULAR_FRACTION = ClinicalMeasure(
    "ventricular fraction",
    None,
    "%",
    "ventricular volume divided by the volume of the intracranial mask",
    "10.1227/01.NEU.0000370939.30003.D1",
)
EXTERNAL_CSF = ClinicalMeasure(
    "CSF outside the ventricles",
    None,
    "ml",
    "voxels of subarachnoid space and central sulcus times voxel volume; arteries and veins in them are counted in",
)
PARENCHYMAL_FRACTION = ClinicalMeasure(
    "brain parenchymal fraction",
    None,
    "%",
    "brain without fluid, dural folds and venous sinuses, divided by the volume of the intracranial mask",
    "10.1016/j.neurad.2016.08.002",
)
ASYMMETRY = ClinicalMeasure(
    "asymmetry",
    None,
    "%",
    "left minus right volume, divided by the mean of both; the halves are parted by a smooth surface through septum, "
    "falx, interhemispheric fissure and third ventricle",
    "10.1073/pnas.1718418115",
)


def volume_measures(head: LabelledHead) -> tuple[ClinicalMeasure, ...]:
    """Ventricular volume and fraction, CSF outside the ventricles, brain parenchymal fraction."""
    ventricles, fluid = head.mask(VENTRICLES), head.mask(FISSURE, SULCUS)
    tissue = (head.labels.data > 0) & ~ventricles & ~fluid & ~head.mask(FALX)
    no_ventricles, no_brain = structure_cut(head, VENTRICLES), brain_cut(head)
    no_fluid = "no subarachnoid space is labelled" if not fluid.any() else no_brain
    brain_ml = max(float(np.count_nonzero(head.brain.data)) * head.brain.voxel_volume_ml, 1e-6)
    ventricles_ml, fluid_ml, tissue_ml = (head.volume_ml(mask) for mask in (ventricles, fluid, tissue))
    return (
        _valued(VENTRICULAR_VOLUME, ventricles_ml, no_ventricles),
        _valued(VENTRICULAR_FRACTION, 100 * ventricles_ml / brain_ml, no_ventricles or no_brain),
        _valued(EXTERNAL_CSF, fluid_ml, no_fluid),
        _valued(PARENCHYMAL_FRACTION, 100 * tissue_ml / brain_ml, no_brain),
    )


def asymmetries(head: LabelledHead) -> tuple[ClinicalMeasure, ...]:
    """Asymmetry of each paired structure that the label table has; positive where the left one is larger."""
    listed = {label.name for label in head.labels.table}
    return tuple(_asymmetry(head, name) for name in PAIRED if name in listed)


def _asymmetry(head: LabelledHead, name: str) -> ClinicalMeasure:
    measure = replace(ASYMMETRY, name=f"asymmetry of the {name}")
    left, right = (head.volume_ml(head.half(name, side)) for side in (LEFT, RIGHT))
    if left + right < LEAST_PAIR_ML:
        return replace(measure, reason=f"less than {LEAST_PAIR_ML} ml of it are labelled")
    return _valued(measure, 200 * (left - right) / (left + right), structure_cut(head, name))


def _valued(measure: ClinicalMeasure, value: float, reason: str) -> ClinicalMeasure:
    return replace(measure, reason=reason) if reason else replace(measure, value=value)
