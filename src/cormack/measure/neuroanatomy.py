"""Clinical measures of a head whose structures are labelled: volumes, widths, an angle, midline shift, asymmetries."""

from __future__ import annotations

from dataclasses import replace

from cormack.core.clinical import ClinicalMeasure
from cormack.core.labels import LabelMap
from cormack.measure.neuroanatomy_angle import CALLOSAL_ANGLE, callosal_angle
from cormack.measure.neuroanatomy_head import labelled_head
from cormack.measure.neuroanatomy_shift import MIDLINE_SHIFT, midline_shift
from cormack.measure.neuroanatomy_volumes import asymmetries, volume_measures
from cormack.measure.neuroanatomy_widths import BICAUDATE, EVANS, bicaudate_ratio, evans_index

#: What is measured in planes of the head's own axes.
_IN_PLANES = (
    (EVANS, evans_index),
    (BICAUDATE, bicaudate_ratio),
    (CALLOSAL_ANGLE, callosal_angle),
    (MIDLINE_SHIFT, midline_shift),
)


def clinical_measures(labels: LabelMap, brain: LabelMap) -> tuple[ClinicalMeasure, ...]:
    """Take all clinical measures of a labelled head.

    How the head lies does not matter: planes are those of its own axes, which are found from the labels. What cannot
    be measured says why. Nothing is said about what is normal.

    Parameters
    ----------
    labels : LabelMap
        The eleven structures or the sixteen (`cormack.core.neuroanatomy`), known by their names in the table; shape
        (i, j, k), any affine to RAS+ mm, thick slices too.
    brain : LabelMap
        The intracranial space (inside of the skull), on any grid of the same space.

    Returns
    -------
    tuple of ClinicalMeasure
        Volumes and fractions, Evans' index, bicaudate ratio, callosal angle, midline shift, asymmetries.

    Raises
    ------
    InputError
        If hardly anything is labelled.
    """
    head = labelled_head(labels, brain)
    frame = head.frame
    if isinstance(frame, str):
        in_planes = tuple(
            replace(measure, reason=f"the axes of the head are unknown: {frame}") for measure, _ in _IN_PLANES
        )
    else:
        in_planes = tuple(take(head, frame) for _, take in _IN_PLANES)
    return (*volume_measures(head), *in_planes, *asymmetries(head))
