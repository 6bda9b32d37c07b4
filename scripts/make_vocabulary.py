"""Make src/cormack/dicom/deidentify/data/vocabulary.txt: the words that a cleaned text may keep.

    python scripts/make_vocabulary.py

Sources: names of attributes and meanings of codes as pydicom ships them, and scripts/vocabulary_words.txt. A word of a
code's meaning counts only where it is written small, so that no eponym enters; no word of data/names.txt enters unless
the hand-kept list has it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydicom._dicom_dict import DicomDictionary
from pydicom.sr._cid_dict import name_for_cid
from pydicom.sr._concepts_dict import concepts

from cormack.dicom.deidentify.date_notations import date_words, plain_letters

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src" / "cormack" / "dicom" / "deidentify" / "data"
#: Shorter words of the automatic sources are too often somebody's name.
SHORTEST = 4
#: Schemes whose meanings are written in sentence case.
SCHEMES = ("SCT", "RADLEX", "FMA")
#: Context groups about animals, people, drugs and laboratories: their words describe no image, and some are names.
LEFT_OUT = re.compile(
    "breed|animal|registry|country|language|person|role|staff|drug|medication|anesthesia|substance|virus|toxin|cytokine"
    "|religion|ethnic|organization|payor|insurance|equation|table|author|species|taxon|feed|shelter|bedding",
    re.IGNORECASE,
)


def words_of(text: str) -> Iterator[str]:
    """Runs of letters."""
    yield from re.findall(r"[^\W\d_]+", text)


def listed(path: Path) -> set[str]:
    """Words of a list, without its comment lines."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "=")))
    return {word for line in lines for part in line.split() for word in words_of(part)}


def from_attributes() -> set[str]:
    """Words of the names of public attributes that are not retired."""
    return {word for _, _, name, retired, _ in DicomDictionary.values() if not retired for word in words_of(name)}


def from_codes() -> set[str]:
    """Words of the meanings of codes, as far as they are written small."""
    left_out = {cid for cid, name in name_for_cid.items() if LEFT_OUT.search(name)}
    meanings = [
        meaning
        for scheme in SCHEMES
        for codes in concepts[scheme].values()
        for meaning, groups in codes.values()
        if not set(groups) <= left_out
    ]
    return {word for meaning in meanings for word in words_of(meaning) if word.islower()}


def main() -> int:
    """Write the file; its words are in lower case and without accents."""
    hand_kept = {form for word in listed(ROOT / "scripts" / "vocabulary_words.txt") for form in forms(word)}
    names = {plain_letters(word) for word in listed(DATA / "names.txt")}
    found = {plain_letters(word) for word in from_attributes() | from_codes() if len(word) >= SHORTEST}
    words = sorted((found - names - date_words()) | hand_kept)
    heading = "# Words that a cleaned text may keep; made by scripts/make_vocabulary.py.\n"
    (DATA / "vocabulary.txt").write_text(heading + "\n".join(words) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(words)} words\n")
    return 0


def forms(word: str) -> Iterator[str]:
    """A word without its accents, and as German writes it without umlauts."""
    yield plain_letters(word)
    yield plain_letters(word.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"))


if __name__ == "__main__":
    raise SystemExit(main())
