"""The methods paragraph: what was really done to a scan, with citations, ready to be copied into a paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit
from cormack.report.content import ReportContent, StackFacts
from cormack.report.tables import number, with_minus


@dataclass(frozen=True)
class Reference:
    """One cited work; `key` is how the paragraph cites it."""

    key: str
    text: str
    doi: str

    @property
    def url(self) -> str:
        """Address of the work by its DOI."""
        return f"https://doi.org/{self.doi}"


MUSCHELLI_2019 = Reference(
    "Muschelli 2019",
    "Muschelli J. Recommendations for Processing Head CT Data. Frontiers in Neuroinformatics 2019;13:61.",
    "10.3389/fninf.2019.00061",
)
MUSCHELLI_2015 = Reference(
    "Muschelli et al. 2015",
    "Muschelli J, Ullman NL, Mould WA, Vespa P, Hanley DF, Crainiceanu CM. Validated automatic brain extraction of "
    "head CT images. NeuroImage 2015;114:379-385.",
    "10.1016/j.neuroimage.2015.03.074",
)
SMITH_2002 = Reference(
    "Smith 2002",
    "Smith SM. Fast robust automated brain extraction. Human Brain Mapping 2002;17(3):143-155.",
    "10.1002/hbm.10062",
)
RORDEN_2012 = Reference(
    "Rorden et al. 2012",
    "Rorden C, Bonilha L, Fridriksson J, Bender B, Karnath HO. Age-specific CT and MRI templates for spatial "
    "normalization. NeuroImage 2012;61(4):957-965.",
    "10.1016/j.neuroimage.2012.03.020",
)

TUSTISON_2010 = Reference(
    "Tustison et al. 2010",
    "Tustison NJ, Avants BB, Cook PA, Zheng Y, Egan A, Yushkevich PA, Gee JC. N4ITK: improved N3 bias correction. IEEE "
    "Transactions on Medical Imaging 2010;29(6):1310-1320.",
    "10.1109/TMI.2010.2046908",
)
HOOPES_2022 = Reference(
    "Hoopes et al. 2022",
    "Hoopes A, Mora JS, Dalca AV, Fischl B, Hoffmann M. SynthStrip: skull-stripping for any brain image. NeuroImage "
    "2022;260:119474.",
    "10.1016/j.neuroimage.2022.119474",
)
AUBERT_BROCHE_2006 = Reference(
    "Aubert-Broche et al. 2006",
    "Aubert-Broche B, Griffin M, Pike GB, Evans AC, Collins DL. Twenty new digital brain phantoms for creation of "
    "validation image data bases. IEEE Transactions on Medical Imaging 2006;25(11):1410-1416.",
    "10.1109/TMI.2006.883453",
)

_IN_SLICES = ", corrected in slices of about 1 mm by a second one where voxels are small enough"
#: How the brain was found, by the unit of the values and the method, and what is cited; other methods are described by
#: their masks' own descriptions.
BRAIN_METHODS: Mapping[tuple[Unit, str], tuple[str, tuple[Reference, ...]]] = {
    (Unit.HU, "network"): (
        "The intracranial space was found by a three-dimensional U-Net on voxels of 2 mm, trained on synthetic CT "
        "made from BrainWeb's anatomical models (Aubert-Broche et al. 2006); its edge drawn at native resolution.",
        (AUBERT_BROCHE_2006,),
    ),
    (Unit.HU, "skull"): (
        "The intracranial space was taken as the inside of the skull: bone as a barrier, its foramina closed, filled "
        "from within down to the foramen magnum.",
        (),
    ),
    (Unit.HU, "bet"): (
        "The brain was extracted with the published recipe for CT (Muschelli et al. 2015) around the brain extraction "
        "tool (Smith 2002), fractional intensity 0.01, both implemented anew.",
        (MUSCHELLI_2015, SMITH_2002),
    ),
    **{
        (Unit.ARBITRARY, method): (
            f"The brain with its cerebrospinal fluid was found by a {kind} U-Net trained, in the manner of Hoopes et "
            "al. (2022), on synthetic MR of many contrasts made from BrainWeb's anatomical models (Aubert-Broche et "
            "al. 2006){further}; its probability was interpolated linearly and cut at a half.",
            (HOOPES_2022, AUBERT_BROCHE_2006),
        )
        for method, kind, further in (
            ("network", "three-dimensional", _IN_SLICES),
            ("t1-brain-3d", "three-dimensional", _IN_SLICES),
            ("t1-brain-2d", "two-dimensional", ""),
        )
    },
}
#: What was processed and how the head was told from its surroundings, by the unit of the values.
OPENINGS = {
    Unit.HU: ("head CT", " following published recommendations (Muschelli 2019)"),
    Unit.ARBITRARY: ("head MR", ""),
}
_LEAN = {Unit.HU: "gantry tilt", Unit.ARBITRARY: "lean of the stack"}
SURROUNDINGS = {Unit.HU: "table and headrest", Unit.ARBITRARY: "the air around it"}


@dataclass(frozen=True)
class MethodsText:
    """The paragraph and the works that it cites, in the order of citation."""

    paragraph: str
    references: tuple[Reference, ...]

    @property
    def plain(self) -> str:
        """Paragraph and references as one plain text."""
        return "\n".join([self.paragraph, "", *(f"{r.text} https://doi.org/{r.doi}" for r in self.references)])


def methods_text(content: ReportContent) -> MethodsText:
    """Write the methods paragraph from the parameters of the run; what was not done is not mentioned."""
    what, how = OPENINGS[_unit(content)]
    processing = content.processing
    sentences = [
        f"The {what} was processed with Cormack {content.versions.get('cormack', '')}".rstrip() + f"{how}.",
        *_geometry(content),
        *_conditioning(content),
        *_masks(content),
        "Volumes are numbers of voxels times the volume of a voxel, by the determinant of the affine.",
    ]
    references = [MUSCHELLI_2019] if how else []
    if processing.bias_field_correction:
        references.append(TUSTISON_2010)
    references += _brain_method(content)[1]
    if processing.cormack_units:
        sentences.append(
            "The image was also written in Cormack units (Rorden et al. 2012), in an exactly invertible form."
        )
        references.append(RORDEN_2012)
    return MethodsText(" ".join(sentences), tuple(references))


def _unit(content: ReportContent) -> Unit:
    return content.volume.unit if content.volume.unit in OPENINGS else Unit.HU


def _brain_method(content: ReportContent) -> tuple[str, tuple[Reference, ...]]:
    return BRAIN_METHODS.get((_unit(content), content.processing.brain_method), ("", ()))


def _geometry(content: ReportContent) -> list[str]:
    source, stack, volume = content.processing.source, content.stack, content.volume
    spacing = " × ".join(f"{s:.2f}" for s in volume.spacing_mm)
    if stack is None or source != "DICOM":
        return [f"The volume was read from a {source} file ({_grid(volume.shape)} voxels of {spacing} mm)."]
    tilt = stack.tilt_deg if stack.leans else 0.0
    read = (
        f"{stack.shape[2]} {source} slices were placed by their Image Position and Image Orientation (Patient), "
        f"{_distances(stack)}; the {_LEAN[_unit(content)]} measured from these positions was {number(tilt, 1)}°."
    )
    if content.processing.interpolation is None:
        return [read, f"They formed an orthogonal, even grid of {spacing} mm, and were not resampled."]
    return [
        read,
        f"They were resampled once, by {content.processing.interpolation} interpolation, to an orthogonal grid of "
        f"{spacing} mm ({_grid(volume.shape)} voxels), padded so that no measured voxel was lost.",
    ]


def _grid(shape: tuple[int, int, int]) -> str:
    return " × ".join(str(n) for n in shape)


def _distances(stack: StackFacts) -> str:
    gaps = stack.slice_distances_mm
    if not gaps:
        return "a single slice"
    low, high = min(gaps), max(gaps)
    return f"{low:.2f} mm apart" if high - low < 0.02 * high else f"{low:.2f} to {high:.2f} mm apart"


def _conditioning(content: ReportContent) -> list[str]:
    processing = content.processing
    sentences = []
    if processing.padding_hu:
        values = ", ".join(f"{v:g}" for v in processing.padding_hu).replace("-", "−")
        sentences.append(f"Padding outside the reconstruction circle ({values}) was told from air and set aside.")
    if processing.bias_field_correction:
        sentences.append(
            f"The bias field was fitted where the image is not background, and divided out by "
            f"{processing.bias_field_correction} (Tustison et al. 2010) before anything else was looked for."
        )
    if processing.winsorised_hu is not None:
        low, high = (f"{v:g}".replace("-", "−") for v in processing.winsorised_hu)
        sentences.append(f"Hounsfield units were winsorised to {low} to {high} HU.")
    return sentences


def _masks(content: ReportContent) -> list[str]:
    processing = content.processing
    sentences = []
    if content.head.description:
        sentences.append(
            f"The head was separated from {SURROUNDINGS[_unit(content)]}. Definition of the head mask: "
            f"{_described(content.head)}."
        )
    elif processing.head_range_hu is not None:
        low, high = (f"{v:g}".replace("-", "−") for v in processing.head_range_hu)
        sentences.append(
            f"The head was separated from table and headrest as the largest component of {low} to {high} HU, "
            "its holes filled."
        )
    how = _brain_method(content)[0]
    sentences += [how] if how else []
    if content.brain.description:
        sentences.append(f"Definition of the brain mask: {_described(content.brain)}.")
    if processing.outside is not None:
        sentences.append(
            f"In the extracted image, voxels outside the mask hold {processing.outside.replace('-', '−')}."
        )
    return sentences


def _described(mask: LabelMap) -> str:
    return with_minus(mask.description.rstrip("."))
