"""Names of people in a text, found by what stands beside them: titles, labels, degrees, common names."""

from __future__ import annotations

import re

from cormack.dicom.deidentify.date_notations import plain_letters
from cormack.dicom.deidentify.text_patterns import (
    DEGREE,
    PARTICLES,
    SHY_TITLE,
    SHYEST_TITLE,
    TITLE,
    TITLE_AND_NAME,
    TOKEN,
    common_names,
    is_description,
    is_word,
)

#: Stand-ins for what was taken out, and for a label that a person's name follows.
REMOVED, PERSON = "\ue000", "\ue001"
INITIALS = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])*\.?")
_NAME = re.compile(r"[^\W\d_][^\W\d_'’.-]+(?:['’.-][^\W\d_]+)*\.?")


def take_out_people(pieces: list[str]) -> None:
    """Replace titles with the names behind them, names before degrees, and names as DICOM writes them."""
    cores = [piece.strip(",;:()[]<>\"'") for piece in pieces]
    for place, core in enumerate(cores):
        if (
            pieces[place] == PERSON
            or TITLE_AND_NAME.fullmatch(core)
            or (core.isalpha() and plain_letters(core) in common_names())
        ):
            pieces[place] = REMOVED
            _take_out_names(pieces, cores, place + 1, first_word_too=False)
        elif TITLE.fullmatch(core):
            shy = core == SHYEST_TITLE or SHY_TITLE.fullmatch(core) is not None
            behind = cores[place + 1] if place + 1 < len(cores) else ""
            named = plain_letters(behind) in common_names() or (core != SHYEST_TITLE and _looks_like_a_name(behind))
            if named or not shy:
                pieces[place] = REMOVED
                _take_out_names(pieces, cores, place + 1, first_word_too=not shy)
        elif ("^" in core and not all(map(is_description, TOKEN.findall(core)))) or (
            DEGREE.fullmatch(core) and place and _looks_like_a_name(cores[place - 1])
        ):
            for near in range(max(place - 2, 0), min(place + 2, len(cores))):
                if near == place or _looks_like_a_name(cores[near]):
                    pieces[near] = REMOVED


def _take_out_names(pieces: list[str], cores: list[str], start: int, *, first_word_too: bool) -> None:
    """Replace what may be a name from a place on: titles, initials and particles, then up to three words."""
    words = 0
    for place in range(start, len(cores)):
        core = cores[place]
        if words == 0 and (TITLE.fullmatch(core) or core.casefold() in PARTICLES or INITIALS.fullmatch(core)):
            pieces[place] = REMOVED
        elif words < 3 and (_looks_like_a_name(core) or (first_word_too and words == 0 and _NAME.fullmatch(core))):
            pieces[place] = REMOVED
            words += 1
        else:
            return


def _looks_like_a_name(core: str) -> bool:
    """True for a word with a capital that the vocabulary does not have."""
    return core[:1].isupper() and _NAME.fullmatch(core) is not None and not all(map(is_word, TOKEN.findall(core)))
