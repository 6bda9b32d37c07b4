"""What the words of a series description tell: contrast medium or none, and the component of an MR image.

Only the verdict leaves this file; the text itself, which a person typed, is neither kept nor shown.
"""

from __future__ import annotations

import re

#: Words between a negation and what it negates, as in "without iv contrast".
_FILLER = r"(?:\s+(?:ANY|IV|I\.?V\.?|THE|IODINE))?\s*-?\s*"
_AGENT = r"(?:CONTRASTE?|CONTR|CON|KONTRAST\w*|KM|C|IV|PDC|MDC)\b"
#: "Head + C spine" is no contrast medium.
_NO_SPINE = r"(?![\s.-]*(?:SP|WS|\d))"
#: Without contrast medium, however it is put; tried first, and taken out of the text.
_PLAIN = re.compile(
    rf"\b(?:W\s*/\s*O|WO|WITHOUT|OHNE|SANS|SENZA|SIN|NO|NON|NONE|VOR|PRE|BEFORE|KEIN)\b{_FILLER}{_AGENT}"
    r"|\b(?:W\s*/\s*O|WITHOUT|NON-?CONTRAST\w*|NON-?ENHANCED|UNENHANCED|NATIV\w*|PLAIN|NCCT|NECT|NCT|NC)\b|\bOHNE\s*$"
    rf"|(?<!\w)C-(?=\s|$|\))|(?<![\w-])-\s?C\b{_NO_SPINE}"
)
#: Both, so that the text tells nothing about this series.
_BOTH = re.compile(r"\bW\s*(?:/|&|\+|AND)\s*W\s*/?\s*O\b|\bWWO\b")
#: "Contrast" of the picture, not in the vessels.
_PICTURE = re.compile(r"\b(?:LOW|HIGH|HI|SOFT|TISSUE|PHASE)[\s-]*CONTRAST\b")
_CONTRAST = re.compile(
    rf"(?<!\w)\+\s?C\b{_NO_SPINE}|(?<!\w)C\+"
    r"|\bCONTRASTE?\b|\bKONTRAST\w*|\bKM\b|\bENHANCED\b|\bCECT\b"
    r"|\bCTA\b|\bCT-?A\b|\bCTV\b|\bANGIO\w*|\bCTP\b|\bPERFUSION\w*|\bW(?:ITH)?\s+(?:IV|C|CON)\b"
    # The posterior fossa and what was done after surgery are no phase of contrast medium.
    r"|(?<!FOSSA\s)\bPOST(?=\s*-?\s*(?:$|C\b|CON|KON|KM\b|IV\b|INJ))"
    r"|\b(?:ARTERIAL|ARTERIELL|VENOUS|VEN[ÖO]E?S)\b"
)
#: Longer texts are no description.
_LONGEST = 64

#: Values of ImageType and ComplexImageComponent (PS3.3 C.8.3.1.1.1, C.8.13.3.1.1), and what vendors write instead.
_COMPONENTS = {
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "VELOCITY MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}
#: M_FFE, P_SE, R_IR and the like.
_COMPONENT_OF_SEQUENCE = re.compile(r"([MPRI])_(?:FFE|SE|IR|TFE|B0|B1|PCA|MDIXON|DIXON)")


def described_contrast(*texts: str | None) -> bool | None:
    """Tell what descriptions say of contrast medium: True, False for its absence, None where they say nothing.

    Parameters
    ----------
    *texts : str or None
        SeriesDescription, ProtocolName: the first that says something counts.
    """
    for text in texts:
        told = _told(text) if text else None
        if told is not None:
            return told
    return None


def _told(text: str) -> bool | None:
    words = " ".join(text[:_LONGEST].upper().replace("_", " ").split())
    if _BOTH.search(words):
        return None
    rest, plain = _PLAIN.subn(" ", _PICTURE.sub(" ", words))
    with_contrast = _CONTRAST.search(rest.strip()) is not None
    if plain:
        return None if with_contrast else False
    return True if with_contrast else None


def mr_component(image_type: tuple[str, ...], complex_component: str | None = None) -> str | None:
    """Tell magnitude, phase, real and imaginary MR images apart; None where the header does not say.

    Parameters
    ----------
    image_type : tuple of str
        ImageType (0008,0008) or FrameType, upper case.
    complex_component : str, optional
        ComplexImageComponent (0008,9208); MIXED says nothing.
    """
    if complex_component and (known := _COMPONENTS.get(complex_component.strip().upper())):
        return known
    # The first two values say original or derived, primary or secondary.
    for value in image_type[2:]:
        if value in _COMPONENTS:
            return _COMPONENTS[value]
        if match := _COMPONENT_OF_SEQUENCE.fullmatch(value):
            return _COMPONENTS[match[1]]
    return None
