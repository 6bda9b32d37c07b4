"""Text as pixels, as scanners burn it into dose pages and screenshots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: Letters of 5 x 7 dots: five columns in hexadecimal, the lowest bit on top.
_SHAPES = (
    "0=3E5149453E 1=00427F4000 2=4261514946 3=2141454B31 4=1814127F10 5=2745454539 6=3C4A494930 7=0171090503 "
    "8=3649494936 9=064949291E A=7E1111117E B=7F49494936 C=3E41414122 D=7F4141221C E=7F49494941 F=7F09090901 "
    "G=3E4149497A H=7F0808087F I=00417F4100 J=2040413F01 K=7F08142241 L=7F40404040 M=7F020C027F N=7F0408107F "
    "O=3E4141413E P=7F09090906 Q=3E4151215E R=7F09192946 S=4649494931 T=01017F0101 U=3F4040403F V=1F2040201F "
    "W=3F4038403F X=6314081463 Y=0708700807 Z=6151494543 .=0060600000 -=0808080808 :=0036360000 /=2010080402"
)
_FONT = dict(shape.split("=") for shape in _SHAPES.split())


def text_page(lines: Sequence[str], rows: int = 512, columns: int = 512, scale: int = 2) -> npt.NDArray[np.uint8]:
    """Lines of text, white on black, uint8 of shape (rows, columns); what does not fit is cut.

    Letters without a shape, lower case among them, are drawn as capitals or left blank.
    """
    page = np.zeros((rows, columns), dtype=np.uint8)
    for line, text in enumerate(lines):
        dots = np.concatenate([_letter(c) for c in text.upper()], axis=1) if text else np.zeros((8, 0), np.uint8)
        pixels = np.kron(dots, np.full((scale, scale), 255, dtype=np.uint8))
        top, left = 20 + line * 11 * scale, 20
        room = page[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        room[...] = pixels[: room.shape[0], : room.shape[1]]
    return page


def _letter(character: str) -> npt.NDArray[np.uint8]:
    """One letter with its space beside and below, 0 or 1, shape (8, 6)."""
    columns = bytes.fromhex(_FONT.get(character, "0000000000")) + b"\0"
    return np.unpackbits(np.frombuffer(columns, np.uint8)[None, :], axis=0, bitorder="little")
