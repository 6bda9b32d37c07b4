"""How people and machines write dates into texts: the notations, found and written again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cormack.dicom.deidentify.calendar_days import shift_date

#: Names of the months and their short forms, by language; the first language that knows a word counts.
_MONTHS: dict[str, tuple[str, str]] = {
    "en": (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    ),
    "de": (
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    "pt": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
    ),
    "sv": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "da": (
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    ),
}
#: Other spellings: language, month, style (0 full, 1 short).
_SPELLINGS = {
    "sept": ("en", 9, 1),
    "mrz": ("de", 3, 1),
    "jänner": ("de", 1, 0),
    "fev": ("pt", 2, 1),
    "fevr": ("fr", 2, 1),
}
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo "
    "lunedì martedì mercoledì giovedì venerdì sabato domenica "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"
)


def plain_letters(text: str) -> str:
    """Lower-case text without accents; ä, ö, ü become a, o, u."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _ascii(text: str) -> str:
    for umlaut, two in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, two)
    return plain_letters(text)


@lru_cache(maxsize=1)
def _month_words() -> dict[str, tuple[str, int, int]]:
    """Word, with and without its accents, to language, month and style."""
    words: dict[str, tuple[str, int, int]] = {}
    for language, styles in _MONTHS.items():
        # May is both: the short form of another month always fits where it stood.
        for style, names in ((1, styles[1]), (0, styles[0])):
            for month, name in enumerate(names.split(), 1):
                words.setdefault(name, (language, month, style))
    words |= _SPELLINGS
    for word, meaning in tuple(words.items()):
        words.setdefault(plain_letters(word), meaning)
        words.setdefault(_ascii(word), meaning)
    return words


def date_words() -> frozenset[str]:
    """Names of months and weekdays in plain letters: words of dates, not of descriptions."""
    return frozenset(plain_letters(word) for word in (*_month_words(), *_WEEKDAYS.split()))


def _any_of(words: Iterator[str] | list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


_YEAR = r"(?P<y>(?:18|19|20)\d\d)"
_M, _D = r"(?P<m>0?[1-9]|1[0-2])", r"(?P<d>0?[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]?\d|2[0-3])[:.h][0-5]\d(?:[:.m][0-5]\d(?:[.,]\d{1,9})?)?(?:\s?[AaPp]\.?[Mm]\b\.?)?(?![.:]?\d)"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|CES?T|[EMCP][SD]?T|[+-]\d\d:?\d\d)\b)?"
#: A time of day belongs to the date before it.
_TIME = rf"(?P<time>(?:T|_|\s*[,;]?\s*(?:at|um|à|@|-)?\s*)(?:{_CLOCK}{_ZONE}))?"
_COMPACT_TIME = r"(?P<time_digits>[ T_.-]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\.?\d{1,6})?Z?)?)?"
_BEFORE, _AFTER = r"(?<!\d)(?<!\d[.,])", r"(?!\d)(?![.,]\d)"
_MONTH = rf"(?P<month>{_any_of(list(_month_words()))})\.?"
_WEEKDAY = (
    rf"(?P<weekday>\b(?:{_any_of(_WEEKDAYS.split() + [plain_letters(w) for w in _WEEKDAYS.split()])})\b\.?,?\s+)?"
)
_ORDINAL = r"(?P<ordinal>st|nd|rd|th|er)?"
_SHORT_YEAR = r"(?P<y>(?:18|19|20)\d\d|'?\d\d)"
_GAP = r"[\s./,_-]*"
_A, _B, _LONG_YEAR = _D.replace("<d>", "<a>"), _D.replace("<d>", "<b>"), _YEAR.replace("<y>", "<c>")

#: Groups: y, m, d (or month) as read; a, b, c where the order is not known; without any of them no date can be told.
_NOTATIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_BEFORE}{_YEAR}(?P<s>[-/._ ]){_M}(?P=s){_D}(?!\d){_TIME}",
        rf"(?<!\d){_YEAR}(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:{_TIME[:-1]}|{_COMPACT_TIME})(?!\d)",
        rf"(?<!\d){_YEAR}\s?[年년]\s?{_M}\s?[月월]\s?{_D}\s?[日일]?(?!\d){_TIME}",
        rf"{_BEFORE}{_A}(?P<s>[-/._ ]){_B}(?P=s){_LONG_YEAR}(?!\d){_TIME}",
        rf"{_BEFORE}(?P<a>\d{{1,2}})(?P<s>[-/])(?P<b>\d{{1,2}})(?P=s)(?P<c>\d\d){_AFTER}{_TIME}",
        rf"{_BEFORE}(?P<a>\d\d(?=\.\d)|\d(?=\.\d\d\.))(?P<s>\.)(?P<b>\d{{1,2}})\.(?P<c>\d\d){_AFTER}{_TIME}",
        rf"{_WEEKDAY}(?<!\d){_D}{_ORDINAL}(?:\s+of)?(?:\s+de)?{_GAP}{_MONTH}(?:\s+de)?{_GAP}{_SHORT_YEAR}(?!\d){_TIME}",
        rf"{_WEEKDAY}(?<![^\W\d_]){_MONTH}{_GAP}{_D}{_ORDINAL}(?:\s+|\s*,\s*|[-/.]){_SHORT_YEAR}(?![\d:]){_TIME}",
        rf"{_WEEKDAY}(?<![^\W\d_]){_MONTH}\s+{_D}\s+(?P<time>{_CLOCK}{_ZONE})\s+{_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}[\s./_-]?{_MONTH}[\s./_-]?{_D}(?!\d){_TIME}",
        rf"(?<![^\W\d_]){_MONTH}[\s,._/-]{{0,2}}{_YEAR}(?!\d)",
        rf"{_BEFORE}{_YEAR}[-/](?P<m>0[1-9]|1[0-2])(?![\d./-])",
        rf"(?<![\d./-])(?P<m>0?[1-9]|1[0-2])/{_YEAR}(?!\d)",
        rf"(?<![\d./-])(?P<m>0[1-9]|1[0-2])\.{_YEAR}(?!\d)",
        r"(?<!\d)(?:[0-3]\d[0-1]\d|[0-1]\d[0-3]\d)(?:19|20)\d\d(?!\d)",
        r"(?<!\d)(?:19|20)\d\d-?W[0-5]\d(?:-?[1-7])?(?!\d)",
        r"(?<!\d)(?:19|20)\d\d-[0-3]\d\d(?![\d.-])",
        rf"(?<![\d.,])(?:[12]?\d|3[01])(?:st|nd|rd|th|er|\.)?[\s-]?{_MONTH}(?![^\W_])",
        rf"(?<![^\W\d_]){_MONTH}\s?(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?(?![\w.,]\d|\w)",
    )
)
#: Those without the name of a month, which have no fewer digits than so many.
_NUMERIC = tuple(notation for notation in _NOTATIONS if "month" not in notation.groupindex)
_FEWEST_DIGITS = 4
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class FoundDate:
    """A date in a text: its place, its day if it can be told, and how it was written."""

    start: int
    end: int
    day: date | None
    match: re.Match[str]
    order: str = "ymd"

    def moved(self, days: int) -> str | None:
        """The date moved by whole days, in its own notation; 0 keeps it as it is. None if it must go.

        A date that cannot be told cannot be moved, and a bare number that may be one is not kept either.
        """
        if days == 0:
            return None if self.day is None and self.match[0].isdigit() else self.match[0]
        moved = None if self.day is None else shift_date(self.day, days)
        return None if moved is None else self.written_as(moved)

    def written_as(self, day: date) -> str:
        """Another day in the same notation: order, separators, zeros, language and capitals."""
        groups = self.match.groupdict()
        names = (
            dict(zip("ymd", self.order, strict=True)) if groups.get("a") is not None else {"y": "y", "m": "m", "d": "d"}
        )
        written = {names["y"]: _year_like(groups.get(names["y"]) or "", day)}
        numbers = {name: groups.get(names[name]) for name in ("m", "d")}
        padded = not any(text is not None and len(text) == 1 for text in numbers.values())
        for name, text in numbers.items():
            if text is not None:
                written[names[name]] = f"{getattr(day, {'m': 'month', 'd': 'day'}[name]):{'02' if padded else ''}}"
        if groups.get("month"):
            written["month"] = _month_like(groups["month"] or "", day)
        if groups.get("ordinal"):
            written["ordinal"] = _ordinal_like(groups["ordinal"] or "", day)
        if groups.get("weekday"):
            written["weekday"] = ""  # the new one would tell the shift modulo seven if the old one were kept
        return self._with(written)

    def _with(self, written: dict[str, str]) -> str:
        text, end = self.match.string, self.start
        pieces = []
        for name in sorted(written, key=self.match.start):
            pieces += [text[end : self.match.start(name)], written[name]]
            end = self.match.end(name)
        return "".join((*pieces, text[end : self.end]))


def find_dates(text: str) -> list[FoundDate]:
    """All dates of a text from left to right, of two that overlap the one that begins first, then the longer one."""
    digits = sum(map(str.isdigit, text))
    if not digits:
        return []
    notations = _NUMERIC if digits >= _FEWEST_DIGITS else ()
    if not _month_words().keys().isdisjoint(_LETTERS.findall(text.casefold())):
        notations = _NOTATIONS
    found = [one for notation in notations for match in notation.finditer(text) if (one := _read(match))]
    apart: list[FoundDate] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart


def _read(match: re.Match[str]) -> FoundDate | None:
    """The date of a match; None if no calendar has it."""
    groups = match.groupdict()
    if groups.get("a") is not None:
        return _read_unordered(match)
    if "y" not in groups:
        return FoundDate(match.start(), match.end(), None, match)
    year = _full_year(groups["y"] or "")
    word = groups.get("month")
    month = _month_words()[_known(word)][1] if word else int(groups["m"] or 0)
    # The middle stands for a month.
    day = _day(year, month, int(groups.get("d") or 15))
    return None if day is None else FoundDate(match.start(), match.end(), day, match)


def _read_unordered(match: re.Match[str]) -> FoundDate | None:
    """Day and month in an order that only their values, or the full stops of German, tell."""
    a, b, c = (match[name] for name in "abc")
    orders = {"cba": (c, b, a), "cab": (c, a, b)}
    if len(c) == 2 and match["s"] != ".":
        orders["abc"] = (a, b, c)
    days = {order: day for order, (y, m, d) in orders.items() if (day := _day(_full_year(y), int(m), int(d)))}
    if not days:
        return None
    if match["s"] == "." or len(days) == 1:
        order = next(iter(days))
        return FoundDate(match.start(), match.end(), days[order], match, order)
    return FoundDate(match.start(), match.end(), None, match)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full_year(text: str) -> int:
    """A year of four digits; of two, as POSIX reads them: 69 and later are of the last century."""
    digits = text.lstrip("'")
    year = int(digits)
    return year if len(digits) > 2 else year + (1900 if year >= 69 else 2000)


def _year_like(text: str, day: date) -> str:
    mark = "'" if text.startswith("'") else ""
    return mark + (f"{day.year % 100:02}" if len(text.lstrip("'")) == 2 else f"{day.year:04}")


def _known(word: str) -> str:
    lower = word.casefold()
    return lower if lower in _month_words() else plain_letters(word)


def _month_like(word: str, day: date) -> str:
    language, _, style = _month_words()[_known(word)]
    name = _MONTHS[language][style].split()[day.month - 1]
    if word.isascii():
        name = _ascii(name)
    return name.upper() if word.isupper() else name.capitalize() if word[0].isupper() else name


def _ordinal_like(text: str, day: date) -> str:
    if text.casefold() == "er":
        return text if day.day == 1 else ""
    ending = "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return ending.upper() if text.isupper() else ending
