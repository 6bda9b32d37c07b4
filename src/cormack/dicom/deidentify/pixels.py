"""The pixels of one object on its way through cleaning: a face painted over, burned-in text, hidden bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.pixel_element import PIXEL_TAGS
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.treat_pixels import PixelKind, PixelPolicy, treat_pixels

#: What the treatment of pixels may change besides them: offsets of frames, colour space, depth, plane order, loss.
_CHANGED = (0x7FE00001, 0x7FE00002, 0x00280004, 0x00280006, 0x00280100, 0x00282110, 0x00282114)


class Verdict(Protocol):
    """Whether an object shows a face: kind `masked`, `absent` or `refused`."""

    @property
    def kind(self) -> str:
        """Of the verdict."""

    @property
    def reason(self) -> str:
        """In plain words, without patient data."""


class Faces(Protocol):
    """What is known of the faces that objects show, by SOP Instance UID."""

    def verdict(self, sop_instance_uid: str) -> Verdict:
        """What is to be done with an object."""

    def mask(self, sop_instance_uid: str) -> npt.NDArray[np.bool_] | None:
        """Where it shows the face."""


@dataclass(frozen=True)
class PixelWork:
    """How pixels are treated in a run.

    Parameters
    ----------
    policy : PixelPolicy
    decoders : DecodeWorkers
    faces : Faces, optional
        With the option that removes recognizable faces.
    """

    policy: PixelPolicy
    decoders: DecodeWorkers
    faces: Faces | None = None


@dataclass(frozen=True)
class Treated:
    """An object after its pixels were treated.

    Parameters
    ----------
    dataset : pydicom Dataset
        The header as read, with pixels as they shall be written.
    kind : str
        What was done.
    text_removed, face_removed : bool
        What may be stated of the object.
    """

    dataset: Any
    kind: str
    text_removed: bool
    face_removed: bool


def treated(dataset: Any, sop_instance: str, work: PixelWork) -> Treated:
    """Treat the pixels of an object; its other elements stay as they were read.

    Raises
    ------
    Refusal
        If the pixels may show an identity, or cannot be treated.
    """
    face = None
    if work.faces is not None:
        verdict = work.faces.verdict(sop_instance)
        if verdict.kind == "refused":
            raise Refusal(Reason.FACE, verdict.reason)
        face = work.faces.mask(sop_instance) if verdict.kind == "masked" else None
    # Reading a value turns the element into that value; a copy takes that, and the original stays raw.
    copy = _copy(dataset)
    done = treat_pixels(copy, work.policy, face=face, workers=work.decoders)
    if done.kind is PixelKind.REFUSED:
        raise Refusal(done.code or Reason.PIXELS, done.reason)
    changed = done.kind is not PixelKind.UNTOUCHED
    for tag in (*PIXEL_TAGS, *(_CHANGED if changed else _CHANGED[:2])):
        if tag in copy:
            dataset[tag] = copy.get_item(tag)
        elif tag in dataset:
            del dataset[tag]
    return Treated(dataset, done.kind.value, done.burned_in is False, work.faces is not None)


def _copy(dataset: Any) -> Any:
    """The same elements in another data set; the file meta information is shared."""
    copy = Dataset(dict(dataset.items()))
    copy.set_original_encoding(*dataset.original_encoding, dataset.original_character_set)
    copy.file_meta = dataset.file_meta
    return copy
