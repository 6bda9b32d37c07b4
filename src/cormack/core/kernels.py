"""What the vendors' names of reconstruction kernels mean: soft, medium or sharp.

Selection and quality both need it, so the table lives with the nouns. It covers (0018,1210) ConvolutionKernel as
written by GE, Siemens, Philips, Toshiba/Canon, Hitachi/Fujifilm, United Imaging and Neusoft. A name that matches no row
has no class: nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class KernelClass(StrEnum):
    """Soft kernels show brain; sharp ones show bone, at the price of noise and of overshoot at edges."""

    SOFT = "soft"
    MEDIUM = "medium"
    SHARP = "sharp"


@dataclass(frozen=True)
class KernelRule:
    """One row: names that match `kernel` on scanners whose Manufacturer matches `manufacturer` have the class."""

    manufacturer: str
    kernel: str
    kernel_class: KernelClass


_S, _M, _H = KernelClass.SOFT, KernelClass.MEDIUM, KernelClass.SHARP

#: First match wins; both patterns are matched against upper-case text, `kernel` against the whole name.
KERNEL_RULES: tuple[KernelRule, ...] = (
    # GE: words; the modifier + raises the sharpness, a trailing number is the scanner's variant.
    KernelRule("^GE", r"(BONE|EDGE|LUNG|ULTRA|HD ?BONE|HD ?EDGE|HD ?LUNG).*", _H),
    KernelRule("^GE", r"(DETAIL|HD ?DETAIL|CHST|CHEST|PERF).*", _M),
    KernelRule("^GE", r"(SOFT|STANDARD|STND|STD|HD ?STND|HD ?SOFT|BRAIN|HEAD|NEURO).*", _S),
    # Siemens: region letters, a number that grows with sharpness, letters for mode or denoising (H31s, J40s, Qr59).
    KernelRule("SIEMENS", r"[A-Z]{1,2}([0-3]\d|4[0-4]).*", _S),
    KernelRule("SIEMENS", r"[A-Z]{1,2}(4[5-9]|5[0-4]).*", _M),
    KernelRule("SIEMENS", r"[A-Z]{1,2}(5[5-9]|[6-9]\d).*", _H),
    # Philips: letter of the filter family; U and E are the head families, Y the high-resolution one.
    KernelRule("PHILIPS", r"(D|E|L|YA|YB|YC|YD|YE|EC|ED|EE|XD|XE).*", _H),
    KernelRule("PHILIPS", r"(C|UC|UD|EB|XC|DETAIL).*", _M),
    KernelRule("PHILIPS", r"(A|B|F|UA|UB|EA|CA|CB|SA|SB|XA|XB|STANDARD|SMOOTH|BRAIN).*", _S),
    # Toshiba and Canon: FC20-28 and FC62-69 are head with, FC40-49 head without beam-hardening correction.
    KernelRule("(TOSHIBA|CANON)", r"FC(3\d|5\d|7\d|8\d|9\d).*", _H),
    KernelRule("(TOSHIBA|CANON)", r"FC(04|05|14|15|18|24|25|26|27|28|29|45|46|47|48|49|69).*", _M),
    KernelRule("(TOSHIBA|CANON)", r"FC([0-1]\d|2\d|4\d|6\d).*", _S),
    # Hitachi and Fujifilm: two-digit numbers as with Siemens for the newer, words for the older scanners.
    KernelRule("(HITACHI|FUJI)", r"(0?[1-3]\d|H?[1-3]\d|SOFT|STANDARD|BRAIN).*", _S),
    KernelRule("(HITACHI|FUJI)", r"(4\d|DETAIL|MIDDLE).*", _M),
    KernelRule("(HITACHI|FUJI)", r"([5-9]\d|BONE|SHARP|LUNG|EAR).*", _H),
    # United Imaging and Neusoft: the class is a word within the name (H_SOFT_C, B_SHARP_C, F20, Brain).
    KernelRule(
        "(UIH|UNITED IMAGING|NMS|NEUSOFT|PHILIPS NEUSOFT|MINDRAY|SINOVISION|ANKE)", r".*(SHARP|BONE|LUNG|EAR).*", _H
    ),
    KernelRule(
        "(UIH|UNITED IMAGING|NMS|NEUSOFT|PHILIPS NEUSOFT|MINDRAY|SINOVISION|ANKE)",
        r".*(VSOFT|SOFT|BRAIN|STANDARD).*",
        _S,
    ),
    KernelRule("(NMS|NEUSOFT)", r"F[0-2]\d.*", _S),
    KernelRule("(NMS|NEUSOFT)", r"F3\d.*", _M),
    KernelRule("(NMS|NEUSOFT)", r"F[4-9]\d.*", _H),
)

#: Words that mean the same with every vendor; tried last, and alone where the vendor is not stated.
COMMON_RULES: tuple[KernelRule, ...] = (
    KernelRule("", r".*(BONE|SHARP|EDGE|LUNG|ULTRA|INNER ?EAR|HARD).*", _H),
    KernelRule("", r".*(DETAIL|MEDIUM).*", _M),
    KernelRule("", r".*(SOFT|STANDARD|SMOOTH|BRAIN|PARENCHYMA).*", _S),
)


def kernel_class(convolution_kernel: str | None, manufacturer: str | None = None) -> KernelClass | None:
    r"""Tell how sharp a reconstruction kernel is from its name.

    Parameters
    ----------
    convolution_kernel : str or None
        (0018,1210) as written; of several values the first one counts (`J40s\3` and `['J40s', '3']` alike).
    manufacturer : str or None
        (0008,0070); without it only words that mean the same everywhere count.

    Returns
    -------
    KernelClass or None
        None where the name is absent or not in the table.

    Examples
    --------
    >>> kernel_class("H31s", "SIEMENS")
    <KernelClass.SOFT: 'soft'>
    >>> kernel_class("BONEPLUS", "GE MEDICAL SYSTEMS")
    <KernelClass.SHARP: 'sharp'>
    >>> kernel_class("my kernel") is None
    True
    """
    if not convolution_kernel:
        return None
    name = re.split(r"[\\,\]]", convolution_kernel.upper())[0].strip(" ['\"")
    vendor = (manufacturer or "").upper()
    for rule in KERNEL_RULES:
        if re.search(rule.manufacturer, vendor) and re.fullmatch(rule.kernel, name):
            return rule.kernel_class
    for rule in COMMON_RULES:
        if re.fullmatch(rule.kernel, name):
            return rule.kernel_class
    return None
