"""The templates that are known by name, as a table; `cormack.pipeline.templates` reads and fetches them."""

from __future__ import annotations

from dataclasses import dataclass

from cormack.core.labels import LabelMap
from cormack.core.volume import Volume

_CLINICAL = "https://raw.githubusercontent.com/neurolabusc/Clinical/2189c74498cd5c995f05e5a4d0fb605d1b4126a8/"
_NILEARN = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


@dataclass(frozen=True)
class TemplateFile:
    """A file of a template: its name, its SHA-256 and where it is to be had (None: in a package)."""

    name: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class TemplateEntry:
    """What is known of a template before its files are read.

    Parameters
    ----------
    name : str
        What users call it.
    title : str
    space : str
        Label of its space in BIDS names.
    image, brain : TemplateFile
        The image, and the brain without skull, from which the mask is made. They may be the same.
    brain_level : float
        Voxels of `brain` above this stored value are brain: half of what the brain has, where its rim is smooth.
    package : str or None
        Package that ships the files; `name` of a file is then a path within it.
    hu : tuple of float or None
        Slope and intercept by which stored values become HU in soft tissue; None if it is no CT.
    brain_only : bool
        The image holds the brain without skull.
    symmetric : bool
        Left and right are equal, so that a mirrored head cannot be told.
    citation, doi, licence, terms : str
    """

    name: str
    title: str
    space: str
    image: TemplateFile
    brain: TemplateFile
    brain_level: float
    package: str | None
    hu: tuple[float, float] | None
    brain_only: bool
    symmetric: bool
    citation: str
    doi: str
    licence: str
    terms: str


@dataclass(frozen=True, eq=False)
class Template:
    """A template that was read: its image and the mask of its brain, on one grid."""

    entry: TemplateEntry
    volume: Volume
    brain: LabelMap


#: The CT template holds stretched units of the Clinical Toolbox with an offset. Inside the brain HU = (value - 2296) /
#: 10.2, fitted to its unsmoothed sibling in HU; beyond soft tissue the line does not hold, and is not needed.
TEMPLATES = {
    entry.name: entry
    for entry in (
        TemplateEntry(
            name="ct",
            title="CT template of older adults (Clinical Toolbox)",
            space="CTRorden2012",
            image=TemplateFile(
                "scct.nii", "8c1bc8f45e800bcb74a91ae5539afbe7cbc5b730109dccfa331d450b1cf208b3", _CLINICAL + "scct.nii"
            ),
            brain=TemplateFile(
                "scct_stripped.nii",
                "7996bb8b44e1ee5c8a327dc3a6b7c13e72ca0049a6eecba9d3d8ada98aa800ac",
                _CLINICAL + "scct_stripped.nii",
            ),
            brain_level=1000.0,
            package=None,
            hu=(1 / 10.2, -2296 / 10.2),
            brain_only=False,
            symmetric=True,
            citation="Rorden C, Bonilha L, Fridriksson J, Bender B, Karnath HO. Age-specific CT and MRI templates for "
            "spatial normalization. NeuroImage 2012;61(4):957-965.",
            doi="10.1016/j.neuroimage.2012.03.020",
            licence="BSD-2-Clause",
            terms="Copyright (c) 2021 Chris Rorden",
        ),
        TemplateEntry(
            name="mni152",
            title="ICBM 152 nonlinear symmetric 2009a, T1, brain",
            space="MNI152NLin2009aSym",
            image=TemplateFile(_NILEARN, "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6"),
            brain=TemplateFile(_NILEARN, "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6"),
            brain_level=0.0,
            package="nilearn",
            hu=None,
            brain_only=True,
            symmetric=True,
            citation="Fonov V, Evans AC, Botteron K, Almli CR, McKinstry RC, Collins DL. Unbiased average "
            "age-appropriate atlases for pediatric studies. NeuroImage 2011;54(1):313-327.",
            doi="10.1016/j.neuroimage.2010.07.033",
            licence="ICBM (use, copy and change for any purpose, with this notice)",
            terms="Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological "
            "Institute, McGill University",
        ),
    )
}
