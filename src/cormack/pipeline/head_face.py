"""From slices of a CT or MR to the region of the face, whichever modality it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cormack.core.errors import ExtractionError, ValuesError
from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, SliceStack, Volume
from cormack.extract.brain import brain_mask
from cormack.extract.face import FaceRegion, face_region
from cormack.extract.head import head_mask
from cormack.extract.mr_head import mr_brain_region, tissue_threshold
from cormack.imaging.condition import check_hounsfield, condition
from cormack.imaging.rectify import rectify

#: What stands for removed tissue: air in a CT; an MR's darkest.
AIR_HU, DARK = -1000.0, 0.0
#: Skin and bone in a CT as they are rendered (HU).
SKIN_HU, BONE_HU = -300.0, 250.0
#: MR values are brought to whole numbers up to about this, at this quantile, to work on.
MR_RANGE, MR_QUANTILE = 2000.0, 0.999
#: A brain mask that reaches this far into where only eyes and nose lie leaves parts of the face (ml).
MOST_IN_FACE_ML = 4.0


class Modality(StrEnum):
    """How a face is found; `auto` asks the header, and the values of a NIfTI file."""

    AUTO = "auto"
    CT = "ct"
    MR = "mr"


@dataclass(frozen=True, eq=False)
class HeadFace:
    """A head with its brain and the region of its face.

    Attributes
    ----------
    modality : Modality
        CT or MR.
    volume : Volume
        The rectified head: int16 HU of a CT, whole numbers in proportion to the values of an MR.
    brain : LabelMap
        On the grid of the volume: the intracranial space of a CT, a region that holds the brain of an MR.
    region : FaceRegion
    scale : float
        Values of the slices for one unit of the volume.
    """

    modality: Modality
    volume: Volume
    brain: LabelMap
    region: FaceRegion
    scale: float = 1.0

    @property
    def fill(self) -> float:
        """What stands for removed tissue, in values of the slices."""
        return AIR_HU if self.modality is Modality.CT else DARK

    @property
    def surfaces(self) -> dict[str, float]:
        """Levels of the surfaces that can be rendered, in values of the volume."""
        if self.modality is Modality.CT:
            return {"skin": SKIN_HU, "bone": BONE_HU}
        return {"skin": tissue_threshold(self.volume.data)}

    @property
    def leaves_face(self) -> bool:
        """True if the brain mask holds so much of the eyes and the nose that parts of the face stay."""
        return self.region.in_face_ml > MOST_IN_FACE_ML


def find_face(
    stack: SliceStack,
    padding: Iterable[float],
    modality: Modality,
    *,
    parts: Iterable[str],
    margin_mm: float,
) -> HeadFace:
    """Find the brain and the face of a head.

    Parameters
    ----------
    stack : SliceStack
        Values as stored.
    padding : iterable of float
        Values that the header calls padding.
    modality : Modality
        `auto`: a CT if the values can be Hounsfield units.
    parts, margin_mm
        As `cormack.extract.face.face_region`.

    Raises
    ------
    ExtractionError
        If head, brain or pose cannot be found.
    InputError
        If parts or margin cannot be used, or the values are no Hounsfield units where a CT was asked for.
    """
    known = told_apart(stack, padding) if modality is Modality.AUTO else modality
    if known is Modality.CT:
        volume = rectify(condition(stack, padding)).volume
        brain = brain_mask(volume, head=head_mask(volume))
        return HeadFace(known, volume, brain, face_region(volume, brain, parts=parts, margin_mm=margin_mm))
    working, scale = _whole_numbers(stack, padding)
    volume = rectify(working).volume
    brain = mr_brain_region(volume)
    return HeadFace(known, volume, brain, face_region(volume, brain, parts=parts, margin_mm=margin_mm), scale)


def told_apart(stack: SliceStack, padding: Iterable[float] = ()) -> Modality:
    """CT if the values can be Hounsfield units, else MR."""
    try:
        check_hounsfield(stack.data, padding)
    except ValuesError:
        return Modality.MR
    return Modality.CT


def _whole_numbers(stack: SliceStack, padding: Iterable[float]) -> tuple[SliceStack, float]:
    """The slices as whole numbers from 0 to about `MR_RANGE`, and the value of one of them."""
    data: AnyArray = np.nan_to_num(stack.data.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    for value in padding:
        data[stack.data == value] = 0
    positive = data[data > 0]
    if positive.size == 0:
        raise ExtractionError("the image holds nothing brighter than 0: no head can be found in it")
    scale = float(np.quantile(positive, MR_QUANTILE)) / MR_RANGE
    whole = np.rint(np.clip(data / scale, 0, 1.5 * MR_RANGE)).astype(np.int16)
    return stack.with_data(np.asfortranarray(whole), outside=0.0), scale
