"""Vendors' names of convolution kernels and how sharp they are.

Rows are (manufacturer pattern, kernel pattern, class), tried from top to bottom; both are regular expressions that must
match the whole upper-cased text. Sources: the vendors' DICOM conformance statements and application guides (GE: SOFT,
STANDARD, DETAIL, LUNG, BONE, BONEPLUS, EDGE; Siemens: letter and number, the number growing with sharpness from 10 to
80; Philips: A to F smooth to sharp with brain kernels UA, UB, UC; Canon/Toshiba: FC and a number by organ).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class KernelClass(StrEnum):
    """How sharp a reconstruction kernel is."""

    SOFT = "soft"
    MEDIUM = "medium"
    SHARP = "sharp"
    UNKNOWN = "unknown"


_ANY = ".*"
_SIEMENS = r".*SIEMENS.*"
_GE = r".*(GE |GE$|GENERAL ELECTRIC).*"
_PHILIPS = r".*(PHILIPS|MARCONI|PICKER|ELSCINT).*"
_CANON = r".*(TOSHIBA|CANON).*"

#: (manufacturer, kernel, class); the first row that matches decides.
KERNELS: tuple[tuple[str, str, KernelClass], ...] = (
    (_GE, r"(SOFT|STANDARD|STD\+?|STND|SMOOTH|BRAIN|HD ?STANDARD|ND ?STANDARD|STANDARDPLUS)", KernelClass.SOFT),
    (_GE, r"(DETAIL|CHST|CHEST|ASIR.*)", KernelClass.MEDIUM),
    (_GE, r"(LUNG|BONE|BONE ?PLUS|BONE\+|EDGE|ULTRA|HD ?BONE.*|BONE2|EDGE2?|E[12])", KernelClass.SHARP),
    (_SIEMENS, r"[A-Z]{1,2}([1-3]\d|4[0-4])[A-Z]?(\\.*)?", KernelClass.SOFT),
    (_SIEMENS, r"[A-Z]{1,2}(4[5-9]|5[0-4])[A-Z]?(\\.*)?", KernelClass.MEDIUM),
    (_SIEMENS, r"[A-Z]{1,2}(5[5-9]|[6-9]\d)[A-Z]?(\\.*)?", KernelClass.SHARP),
    (_PHILIPS, r"(A|B|EB|UA|UB|SA|SB|SMOOTH|BRAIN ?SMOOTH|XRES.*)", KernelClass.SOFT),
    (_PHILIPS, r"(C|EC|CB|CC|UC|SC|BRAIN ?STANDARD)", KernelClass.MEDIUM),
    (_PHILIPS, r"(D|E|F|L|YA|YB|YC|YD|YE|BRAIN ?SHARP|BONE|LUNG)", KernelClass.SHARP),
    (_CANON, r"FC(0\d|1[0-7]|2[0-8]|4[1-4]|6[2-8])([-_ ].*)?", KernelClass.SOFT),
    (_CANON, r"FC(18|19|45|69|7[0-1])([-_ ].*)?", KernelClass.MEDIUM),
    (_CANON, r"FC(29|3\d|5\d|8\d)([-_ ].*)?", KernelClass.SHARP),
    # Without a known manufacturer, names that speak for themselves; Siemens-like names are unmistakable.
    (_ANY, r"(SOFT|STANDARD|STD\+?|SMOOTH|BRAIN.*)", KernelClass.SOFT),
    (_ANY, r"(BONE.*|LUNG|EDGE|SHARP|ULTRA.*)", KernelClass.SHARP),
    (_ANY, r"(DETAIL|MEDIUM)", KernelClass.MEDIUM),
    (_ANY, r"[BHJIQ][A-Z]?([1-3]\d|4[0-4])[FSHMNR]?(\\.*)?", KernelClass.SOFT),
    (_ANY, r"[BHJIQ][A-Z]?(4[5-9]|5[0-4])[FSHMNR]?(\\.*)?", KernelClass.MEDIUM),
    (_ANY, r"[BHJIQ][A-Z]?(5[5-9]|[6-8]\d)[FSHMNR]?(\\.*)?", KernelClass.SHARP),
    (_ANY, r"FC(0\d|1[0-7]|2[0-8]|4[1-4]|6[2-8])([-_ ].*)?", KernelClass.SOFT),
    (_ANY, r"FC(29|3\d|5\d|8\d)([-_ ].*)?", KernelClass.SHARP),
)


@lru_cache(maxsize=256)
def kernel_class(kernel: str | None, manufacturer: str | None = None) -> KernelClass:
    """Class of a ConvolutionKernel (0018,1210) by the table `KERNELS`.

    >>> kernel_class("H70h", "SIEMENS").value
    'sharp'
    """
    name = (kernel or "").strip().upper()
    maker = (manufacturer or "").strip().upper()
    if not name:
        return KernelClass.UNKNOWN
    for maker_pattern, kernel_pattern, found in KERNELS:
        if re.fullmatch(maker_pattern, maker) and re.fullmatch(kernel_pattern, name):
            return found
    return KernelClass.UNKNOWN
