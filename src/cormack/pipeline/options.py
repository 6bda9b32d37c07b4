"""What a user may choose about a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from cormack.core.errors import InputError
from cormack.dicom.rules import DEFAULT_RULES, SelectionRules
from cormack.extract.methods import BRAIN_METHODS, DEFAULT_METHOD


@dataclass(frozen=True)
class LoadOptions:
    """How a scan is found and brought onto the rectified grid.

    Parameters
    ----------
    modality : "CT", "MR" or "auto"
        What is taken: head CT; MR of a head; or CT where there is one, else MR, as headers, sidecars and values tell.
    series : str or None
        SeriesNumber or SeriesInstanceUID that overrides the selection.
    assume_mm : bool
        Take a NIfTI header without a unit of length for millimetres.
    slice_spacing : "finest", "median", "minimum" or millimetres
    voxel_mm : float or None
        Isotropic voxels of this size instead of the native pixels and `slice_spacing`.
    interpolation : "linear" or "cubic"
    bridge_gaps : bool
        Interpolate also across gaps wider than twice the neighbouring distances.
    rules : SelectionRules
        What makes a DICOM series the one to take.
    """

    modality: Literal["CT", "MR", "auto"] = "CT"
    series: str | None = None
    assume_mm: bool = False
    slice_spacing: str | float = "finest"
    voxel_mm: float | None = None
    interpolation: Literal["linear", "cubic"] = "linear"
    bridge_gaps: bool = False
    rules: SelectionRules = DEFAULT_RULES


@dataclass(frozen=True)
class SpaceOptions:
    """How a run brings a scan into the space of a template.

    Parameters
    ----------
    name : str
        A template's name, or the path of a file.
    kind : "rigid", "affine" or "syn"
    metric : "auto", "mi", "nmi", "ls" or "cc"
    before_brain : bool
        Register whole heads before the brain is extracted, rather than brains after it.
    template_dir : str or None
        Where the template's files lie.
    """

    name: str = "ct"
    kind: str = "syn"
    metric: str = "auto"
    before_brain: bool = False
    template_dir: str | None = None


@dataclass(frozen=True)
class RunOptions:
    """How a whole run goes; everything here is part of what makes two runs the same.

    Parameters
    ----------
    load : LoadOptions
        CT or MR, unless told otherwise.
    method : str
        Brain extraction method, one of the modality in `cormack.extract.brain.METHODS`.
    outside : "air", "nan" or "shift"
        What voxels outside the brain mask hold in the brain image.
    cormack_units : bool
        Write the volume in Cormack units, too.
    space : SpaceOptions or None
        Bring the scan into the space of a template, too.
    n4 : bool
        Take the bias field out of an MR before anything is looked for.
    structures : bool
        Find the structures inside the skull of a CT, the hippocampi of an MR, where the network for that is installed.
    """

    load: LoadOptions = LoadOptions(modality="auto")
    method: str = DEFAULT_METHOD
    outside: Literal["air", "nan", "shift"] = "air"
    cormack_units: bool = False
    space: SpaceOptions | None = None
    n4: bool = False
    structures: bool = True

    def as_parameters(self) -> dict[str, object]:
        """The choices as plain values, for manifests and comparison."""
        plain = asdict(self)
        for name, unchosen in (("space", None), ("n4", False)):
            if plain[name] == unchosen:
                del plain[name]
        return {**plain.pop("load"), **plain}


#: What voxels outside the brain hold, by the modality and the choice of `outside`.
OUTSIDE_TEXT = {
    "CT": {"air": "-1024 HU", "nan": "NaN", "shift": "0, with 1025 added to the HU inside"},
    "MR": {"air": "0", "nan": "NaN"},
}


def check_options(options: RunOptions, modality: str) -> None:
    """Refuse what only the other modality has.

    Raises
    ------
    InputError
        Naming the option.
    """
    outsides = OUTSIDE_TEXT[modality]
    if options.outside not in outsides:
        raise InputError(f"--outside {options.outside} is for Hounsfield units; for {modality}: {', '.join(outsides)}")
    if options.n4 and modality != "MR":
        raise InputError("only an MR has a bias field; Hounsfield units are calibrated: leave out --n4")
    if options.cormack_units and modality != "CT":
        raise InputError("only a CT has Cormack units; the scan is an MR: leave out --cormack-units")
    if options.method not in BRAIN_METHODS[modality]:
        names = ", ".join(BRAIN_METHODS[modality])
        raise InputError(f"method {options.method!r} does not read {modality}; for {modality} there are {names}")
