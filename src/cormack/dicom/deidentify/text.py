"""Free text without identifiers: what a description says of the examination stays, what it says of people goes.

Identifiers are found by their form (numbers, addresses, dates, titles), by a list of common names, and by what the
other elements of the same patient are known to say. That is a sweep, and cannot find every name. Where that is not
enough, a text keeps only what is known to be harmless: the words of a packaged vocabulary, small numbers and codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import permutations

from cormack.dicom.deidentify.date_notations import find_dates, plain_letters
from cormack.dicom.deidentify.people import INITIALS, PERSON, REMOVED, take_out_people
from cormack.dicom.deidentify.text_patterns import (
    DOTTED,
    IDENTIFIER_PATTERNS,
    LABELLED_PERSON,
    LEADING,
    NUMBER_PATTERNS,
    TIME_OF_DAY,
    TOKEN,
    common_names,
    is_description,
    is_word,
)

#: Known letters and digits count from these lengths on, within longer tokens from the second ones.
LEAST_LETTERS, LEAST_DIGITS = 3, 4
LEAST_WITHIN = 5
LEAST_APART = 6
#: Longer texts are rarely met twice, and would fill the cache.
LONGEST_CACHED = 256
CACHED_TEXTS = 2**15

#: What is taken out can bring together what looks like an identifier, and so on.
_MOST_ROUNDS = 8
#: Stand-ins for dates that were moved.
_FIRST_DATE, _LAST_DATE = 0xE002, 0xF8FF
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_DATE = re.compile("[\ue002-\uf8ff]")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
#: What stands between the tokens of a word; a full stop, comma or hyphen may belong to a number or a name.
_MARKS, _INNER_MARKS = re.compile(r"([^\w.,%°×*'’+-]+|_+)"), re.compile(r"([^\w%°]+)")
_EDGE = " \t,;:-/|&=_+^.~"
_HOLE = re.compile(rf"[\s,;:/|&=_+^.~-]*{REMOVED}(?:[\s,;:/|&=_+^.~-]|{REMOVED})*")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss"})


def known_tokens(values: Iterable[str], *, places: Iterable[str] = ()) -> frozenset[str]:
    """What identifying values of a patient look like as parts of a text: the words that `clean_text` takes out.

    Parameters
    ----------
    values : iterable of str
        Names, numbers, addresses and dates of people, as stored.
    places : iterable of str
        Institutions, departments, stations: their words count only where the vocabulary lacks them, so that
        "University Hospital, Head Clinic" takes neither "head" nor "clinic" out of a description.

    Returns
    -------
    frozenset of str
        Plain letters (case-folded, without accents) and digits: words of 3 letters or more (shorter ones unless the
        vocabulary has them), numbers of 4 digits or more, whole numbers without their marks, and names joined.

    Examples
    --------
    >>> sorted(known_tokens(["Doe^John", "AB-1234"]))
    ['1234', 'ab1234', 'djohn', 'doe', 'doej', 'doejohn', 'jdoe', 'john', 'johnd', 'johndoe']
    """
    tokens: set[str] = set()
    for value in values:
        for spelled in {plain_letters(value), plain_letters(value.casefold().translate(_UMLAUTS))}:
            tokens |= _tokens_of_person(spelled)
    for place in places:
        tokens |= {token for token in _words(plain_letters(place)) if token.isdigit() or not is_description(token)}
    return frozenset(tokens)


def _words(plain: str) -> set[str]:
    """Runs of letters and digits, whole and apart, that are long enough to mean something."""
    runs = set(TOKEN.findall(plain))
    apart = {part for run in runs for part in re.findall(r"\d+|[^\W\d_]+", run)}
    return {token for token in runs | apart if len(token) >= (LEAST_DIGITS if token.isdigit() else LEAST_LETTERS)}


def _tokens_of_person(plain: str) -> set[str]:
    tokens = _words(plain)
    for group in plain.split("="):
        parts = TOKEN.findall(group)
        joined = "".join(parts)
        if any(c.isdigit() for c in joined):
            if len(joined) >= LEAST_DIGITS and len(parts) > 1:
                tokens.add(joined)
            continue
        tokens |= {part for part in parts if len(part) == 2 and (not part.isascii() or not is_word(part))}
        names = parts[:4]
        tokens |= {a + b for a, b in permutations(names, 2) if len(a) > 1 and len(b) > 1}
        tokens |= {form for a, b in permutations(names, 2) if len(a) > 2 for form in (b[0] + a, a + b[0])}
    return tokens


def contains_known(text: str, known: frozenset[str]) -> bool:
    """True if a text holds any of the known tokens, as `clean_text` would find them."""
    if not known:
        return False
    plain = plain_letters(text)
    return any(_is_known(token, known) for token in TOKEN.findall(plain)) or _apart(known).search(plain) is not None


def _is_known(plain: str, known: frozenset[str]) -> bool:
    if plain in known:
        return True
    parts = re.findall(r"\d+|[^\W\d_]+", plain)
    if len(parts) > 1 and any(part in known for part in parts):
        return True
    return len(plain) > LEAST_WITHIN and any(token in plain for token in _long_tokens(known))


@lru_cache(maxsize=1024)
def _apart(known: frozenset[str]) -> re.Pattern[str]:
    """The known numbers, alone and with letters, with marks or blanks between any of their signs: KSN-771 22."""
    numbers = [token for token in known if len(token) >= LEAST_APART and not token.isalpha()]
    spread = ("[\\W_]?".join(map(re.escape, number)) for number in sorted(numbers))
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(spread)})(?![^\W_])" if numbers else "(?!)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _long_tokens(known: frozenset[str]) -> tuple[str, ...]:
    """Tokens that are looked for within longer ones; two signs are enough where words are not set apart."""
    return tuple(token for token in known if len(token) >= (LEAST_WITHIN if token.isascii() else 2))


def clean_text(
    text: str, *, known: frozenset[str] = frozenset(), vocabulary_only: bool = False, days: int | None = None
) -> str:
    """A text without what may identify a person; unchanged, but for blanks around it, where there was nothing.

    Parameters
    ----------
    text : str
        It ends at the first NUL.
    known : frozenset of str
        From `known_tokens`.
    vocabulary_only : bool
        Keep only words of the vocabulary, small numbers, units and codes; else keep what nothing speaks against.
    days : int, optional
        Dates are moved by so many days (0 keeps them as they are), and times of day stay; without it both are removed.

    Examples
    --------
    >>> clean_text("CT HEAD W/O CONTRAST 5.0 H30s", vocabulary_only=True)
    'CT HEAD W/O CONTRAST 5.0 H30s'
    >>> clean_text("CT HEAD John Doe 1975-04-12 tel 555-123-4567 for Dr. Miller")
    'CT HEAD'
    """
    if len(text) > LONGEST_CACHED:
        return _clean_until_clean(text, known, vocabulary_only, days)
    return _clean_cached(text, known, vocabulary_only, days)


@lru_cache(maxsize=CACHED_TEXTS)
def _clean_cached(text: str, known: frozenset[str], vocabulary_only: bool, days: int | None) -> str:
    return _clean_until_clean(text, known, vocabulary_only, days)


def _clean_until_clean(text: str, known: frozenset[str], vocabulary_only: bool, days: int | None) -> str:
    """Clean until nothing more goes: what is left must stay as it is when it comes in again."""
    before, left = text, _clean(text, known, vocabulary_only, days)
    for _ in range(_MOST_ROUNDS):
        if left == before:
            break
        before, left = left, _clean(left, known, vocabulary_only, None if days is None else 0)
    return left


def _clean(text: str, known: frozenset[str], vocabulary_only: bool, days: int | None) -> str:
    text = text.split("\0", 1)[0]
    text = _CONTROL.sub(" ", _PRIVATE_USE.sub("", text)).strip()
    for pattern in IDENTIFIER_PATTERNS:
        text = pattern.sub(REMOVED, text)
    if known:
        text = _apart(known).sub(REMOVED, text)
    text, dates = _set_dates_aside(text, days)
    if days is None:
        text = TIME_OF_DAY.sub(REMOVED, text)
    for pattern in NUMBER_PATTERNS:
        text = pattern.sub(REMOVED, text)
    text = LABELLED_PERSON.sub(f" {PERSON} ", text).strip()
    gaps, pieces = re.findall(r"\s+", text), text.split()
    take_out_people(pieces)
    pieces = [_clean_piece(piece, known, vocabulary_only) for piece in pieces]
    if any(REMOVED in piece for piece in pieces):
        text = _joined(pieces, gaps)
    return _DATE.sub(lambda mark: dates[ord(mark[0]) - _FIRST_DATE], text)


def _set_dates_aside(text: str, days: int | None) -> tuple[str, list[str]]:
    """The text with a stand-in for each date that was moved, and these dates; the others are removed."""
    pieces: list[str] = []
    dates: list[str] = []
    end = 0
    for found in find_dates(text):
        moved = None if days is None else found.moved(days)
        pieces.append(text[end : found.start])
        end = found.end
        if moved is None or len(dates) > _LAST_DATE - _FIRST_DATE:
            pieces.append(REMOVED)
        else:
            pieces.append(chr(_FIRST_DATE + len(dates)))
            dates.append(moved)
    return "".join((*pieces, text[end:])), dates


def _clean_piece(piece: str, known: frozenset[str], vocabulary_only: bool) -> str:
    """A piece between blanks with a stand-in for each of its tokens that has to go."""
    cleaned = []
    for number, token in enumerate(_MARKS.split(piece)):
        described = vocabulary_only and is_description(token.strip(".,'’+-*"))
        if number % 2 or not token or (described and not contains_known(token, known)):
            cleaned.append(token)
        elif vocabulary_only and DOTTED.fullmatch(token.strip(".,")):
            cleaned.append(REMOVED)
        else:
            parts = _INNER_MARKS.split(token)
            cleaned += [
                REMOVED if part and not at % 2 and _must_go(part, known, vocabulary_only) else part
                for at, part in enumerate(parts)
            ]
    return "".join(cleaned)


def _must_go(token: str, known: frozenset[str], vocabulary_only: bool) -> bool:
    plain = plain_letters(token)
    if known and _is_known(plain, known):
        return True
    return not is_description(token) if vocabulary_only else plain in common_names()


def _joined(pieces: list[str], gaps: list[str]) -> str:
    """The pieces that are left, without the little words and initials that led to what is not."""
    whole = [REMOVED not in piece for piece in pieces]
    left = [piece if kept else _HOLE.sub(_fill, piece) for piece, kept in zip(pieces, whole, strict=True)]
    gone = [not kept and not _says_something(piece) for piece, kept in zip(left, whole, strict=True)]
    for place in reversed(range(len(left))):
        core = left[place].strip(",;:()[]<>\"'.#").casefold()
        before = place + 1 < len(left) and gone[place + 1]
        behind = place > 0 and gone[place - 1]
        empty = not _says_something(left[place])
        if (before and (core in LEADING or empty)) or ((before or behind) and (INITIALS.fullmatch(core) or empty)):
            gone[place] = True
    text, space = "", ""
    for piece, is_gone, gap in zip(left, gone, ["", *gaps], strict=True):
        space = "\n" if "\n" in gap + space else gap
        if not is_gone:
            text += (space if text else "") + piece
            space = ""
    if gone[-1]:
        text = text.rstrip(_EDGE)
    return text.lstrip(_EDGE) if gone[0] else text


def _fill(hole: re.Match[str]) -> str:
    """One mark where something was taken out between two others, nothing at an end."""
    if hole.start() == 0 or hole.end() == len(hole.string):
        return ""
    return hole[0][0] if hole[0][0] != REMOVED else hole[0][-1].replace(REMOVED, "")


def _says_something(piece: str) -> bool:
    return any(c.isalnum() for c in piece) or _DATE.search(piece) is not None
