"""Rules that say of images without a brain mask whether they may show a face; each verdict with its reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cormack.dicom.deidentify.sop_classes import SopKind, sop_kind
from cormack.dicom.inventory import SeriesEntry

MASKED, ABSENT, REFUSED = "masked", "absent", "refused"
_STRICTNESS = {ABSENT: 0, MASKED: 1, REFUSED: 2}

#: Kinds of objects that hold shapes: an outline of the skin shows the face as well as an image does.
SHAPES = frozenset({SopKind.SEGMENTATION, SopKind.RT, SopKind.ENCAPSULATED})
#: Kinds that show nothing.
SHAPELESS = frozenset({SopKind.STRUCTURED_REPORT, SopKind.WAVEFORM})


@dataclass(frozen=True)
class FaceVerdict:
    """What is to be done with an object: `masked`, `absent` or `refused`; and why, with nothing of a person."""

    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"

    @property
    def strictness(self) -> int:
        """Greater is stricter."""
        return _STRICTNESS[self.kind]


@cache
def faceless(kind: str) -> frozenset[str]:
    """Defined terms of what shows no face: `body_parts` or `modalities`."""
    table = files("cormack.pipeline").joinpath("data/faceless.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(table)[kind])


def of_body_part(entry: SeriesEntry, *, shows_brain: bool | None) -> FaceVerdict | None:
    """The verdict on a volume that its header settles; None if the face has to be looked for.

    Parameters
    ----------
    entry : SeriesEntry
    shows_brain : bool or None
        What a look into its slices told; a header that calls a head a chest is not believed.
    """
    stated = _stated_part(entry)
    if stated and not shows_brain:
        seen = ", and no brain is seen in its slices" if shows_brain is False else ""
        return FaceVerdict(ABSENT, f"the header states the body part {stated}{seen}")
    return None


def without_volume(entry: SeriesEntry, *, study_shows_head: bool, study_has_volume: bool) -> FaceVerdict:
    """The verdict on what is no volume of a CT or MR: localizers, single slices, projections, photographs, shapes.

    Parameters
    ----------
    entry : SeriesEntry
    study_shows_head : bool
        A volume of the same study shows a head, or was refused.
    study_has_volume : bool
        There is a volume in the study at all.
    """
    kind = sop_kind(entry.first.sop_class)
    stated = _stated_part(entry)
    elsewhere = study_has_volume and not study_shows_head
    if kind in SHAPELESS:
        return FaceVerdict(ABSENT, f"a {kind.value} without an image")
    if kind in SHAPES:
        if elsewhere:
            return FaceVerdict(ABSENT, f"a {kind.value} object of a study without a head")
        return FaceVerdict(REFUSED, f"a {kind.value} object, which may hold the outline of a face")
    if kind is SopKind.IMAGE and entry.modality in faceless("modalities"):
        return FaceVerdict(ABSENT, f"modality {entry.modality}, which shows no face")
    if kind is SopKind.IMAGE and stated and not study_shows_head:
        return FaceVerdict(ABSENT, f"the header states the body part {stated}, and no volume of its study shows a head")
    if kind is not SopKind.IMAGE and not entry.first.rows and elsewhere:
        return FaceVerdict(ABSENT, "an object without an image, of a study without a head")
    what = "a localizer, which shows the profile" if entry.is_localizer else "an image that makes no volume"
    return FaceVerdict(REFUSED, f"{what}: it may show a face, which cannot be told apart in it")


def _stated_part(entry: SeriesEntry) -> str | None:
    """The body part without a face that all images of a series state; None if they do not."""
    parts = {(instance.body_part or "").replace(" ", "") for instance in entry.instances}
    part = next(iter(parts)) if len(parts) == 1 else ""
    return part if part in faceless("body_parts") else None
