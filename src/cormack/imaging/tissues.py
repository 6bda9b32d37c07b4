"""Hounsfield units that tissues usually have, to mark in a histogram."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """A tissue with its usual range at about 120 kV, without contrast medium, and a colour to draw it in."""

    name: str
    low_hu: float
    high_hu: float
    color: str


#: Usual ranges; they overlap, and shift with tube voltage, calibration, beam hardening and the reconstruction kernel.
#: Fat: 95 % reference interval of means over regions (PMID 37296765); single voxels scatter over −190 to −30 (Yoshizumi
#: et al., Radiology 1999, doi 10.1148/radiology.211.1.r99ap15283). Lung begins where emphysema ends (Parr et al., Am J
#: Respir Crit Care Med 2004, doi 10.1164/rccm.200403-326OC). Muscle has means from 34 (obese people with diabetes) to
#: 49 (lean ones; Goodpaster et al., J Appl Physiol 2000, doi 10.1152/jappl.2000.89.1.104). The rest is customary.
#: Colours tell apart under the common colour-vision deficiencies (Okabe and Ito 2008).
TISSUES: tuple[Tissue, ...] = (
    Tissue("air", -1024, -950, "#0072b2"),
    Tissue("lung", -950, -500, "#56b4e9"),
    Tissue("fat", -123, -89, "#e69f00"),
    Tissue("water, CSF", -5, 15, "#009e73"),
    Tissue("muscle", 35, 55, "#d55e00"),
    Tissue("blood", 35, 75, "#a50026"),
    Tissue("liver", 50, 65, "#8c510a"),
    Tissue("spongy bone", 200, 700, "#999999"),
    Tissue("compact bone", 700, 1900, "#555555"),
    Tissue("metal", 2500, 3071, "#cc79a7"),
)
