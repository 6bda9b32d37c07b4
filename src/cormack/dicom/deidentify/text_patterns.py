"""What identifiers look like in free text, and what the words, numbers and codes of a description look like."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from cormack.dicom.deidentify.date_notations import plain_letters


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Where a word or number begins or ends, also beside the underscores that stand for blanks in names of protocols.
_EDGE, _END = r"(?<![^\W_])", r"(?![^\W_])"
_START = rf"{_EDGE}(?<!\.)"

#: Identifiers by their form alone, in the order in which they are looked for; dates are found by `date_notations`.
IDENTIFIER_PATTERNS: tuple[re.Pattern[str], ...] = (
    # Addresses: web, mail, paths of files, network hardware, internet.
    re.compile(rf"{_EDGE}(?:(?:https?|ftp|file|dicom|sftp)://\S+|www\.\S+)", re.IGNORECASE),
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*", re.IGNORECASE),
    re.compile(r"(?<!\w)[A-Z]:\\\S+|\\\\[\w.-]+\\\S*|(?<!\w)/(?:home|users|data|mnt|media|tmp|var)/\S*", re.IGNORECASE),
    re.compile(r"\b(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}\b", re.IGNORECASE),
    re.compile(
        rf"{_START}(?:[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){{3}}{_END}(?!\.\d)"
    ),
    re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE),
    # Postal addresses.
    re.compile(
        r"(?<![\w.])\d{1,5}[a-z]?\s+(?:[A-Z][\w'’.-]*\s+){1,3}"
        r"(?:(?i:Street|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Square|Terrace|Highway|Parkway)\b|St\b)\.?"
        r"(?:,?(?:\s+[A-Z][\w'’.-]+){1,3},?\s+[A-Z]{2}\s+\d{5}(?:-\d{4})?(?!\w))?"
        r"|[A-ZÄÖÜ][\wäöüß-]*(?i:straße|strasse|str\.|gasse|allee)\s*\d{1,4}(?:\s?[a-z]\b)?"
        r"|(?<![\w.])\d{1,4},?\s+(?:rue|avenue|boulevard|chemin|calle)\s+\S+(?:\s+[A-Z]\S*)*"
        r"|(?<!\w)[A-Z]{2}\s+\d{5}(?:-\d{4})?(?!\w)|(?<!\w)[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2}(?!\w)"
    ),
    # Ages.
    re.compile(
        r"(?<![\w.,])\d{1,3}[\s-]?(?:y(?:ea)?rs?|years?|y/o|yo|y\.\s?o\.?|y|jahre?|ans|años|anni)"
        r"(?:[\s-]old)?(?:[\s-]alt)?(?!\w)",
        re.IGNORECASE,
    ),
    # UIDs, UUIDs and other long hexadecimal numbers.
    re.compile(r"(?<![\w.])[0-2](?:\.\d+){5,}(?!\w)|(?<![\w.])[12]\.\d+\.\d{3,}(?:\.\d+){2,}(?!\w)"),
    re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE),
    re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b", re.IGNORECASE),
)  # fmt: skip

#: Numbers that look like somebody's, after dates have been taken care of.
NUMBER_PATTERNS: tuple[re.Pattern[str], ...] = (
    # Telephone and social security numbers, and others of seven digits and more in groups.
    re.compile(
        rf"{_START}(?:"
        r"(?:\+\d{1,3}[\s./-]?)?(?:\(\d{2,5}\)[\s./-]?)(?:\d{2,5}[\s./-]?){1,4}\d{2,5}"
        r"|\+\d{1,3}(?:[\s./-]?\d{1,5}){2,6}"
        r"|\d{3}[\s.-]\d{3}[\s.-]\d{3,4}(?!\.\d)|\d{3}-\d{2}-\d{4}|\d{3}-\d{4}"
        r"|0\d{1,5}[\s/-]\d[\d\s/-]{3,}\d|0\d(?:[\s.]\d\d){3,4}"
        rf"|\d{{2,}}(?:[-/]\d{{2,}}){{2,}}|\d+(?:-\d+)*-\d{{4,}}(?:-\d+)*){_END}"
    ),
    # A number that a label calls a number of somebody.
    re.compile(
        r"(?<![^\W_])(?:id|MRN|PID|SSN|NHS|KVNR|EMR|HIS|RIS|DOB|D\.O\.B\.?|acc(?:ession|t|ount)?|pat(?:ient)?|fall|case|visit"
        r"|encounter|order|referral|insurance|policy|licen[cs]e|tel|telephone|telefon|phone|fax|mobile|handy|cell|pager|ext"
        r"|geb|born|birth\w*)"
        r"[\s._-]{0,2}(?:id|no|nr|num(?:ber)?|nummer|code)?[\s.:#=_-]{0,3}(?=[\w-]*\d{3})[\w-]+",
        re.IGNORECASE,
    ),
    # Six digits and more, with the letters around them; not the decimals of a number.
    re.compile(r"[^\W_]*(?<![.,]\d)(?<!\d)\d{6,}[^\W_]*"),
)  # fmt: skip
#: A time of day: a part of a date, and left in with it.
TIME_OF_DAY = re.compile(
    r"(?<![\d:.])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:\s?[ap]\.?m\b\.?)?(?![\d:])", re.IGNORECASE
)
#: What follows such a label is a person, up to the next mark.
LABELLED_PERSON = re.compile(
    r"(?<![^\W_])(?:name|patient(?:'?s)?(?: name)?|pat|physician|doctor|arzt|ärztin|operator|technologist|technician"
    r"|nurse|radiologist|refer\w*|request\w*|perform\w*|report\w*|read|signed|dictated|approved|ordered|befund\w*"
    r"|zuweiser|überweiser|mta|mtra|attending|resident|mother|father|wife|husband|son|daughter|contact|address|adresse"
    r"|anschrift|street|city|employer)"
    r"(?:\s+(?:by|to|from|for|von|an|name|physician|doctor))?\s*(?:[:=]|(?<=by)\s|(?<=von)\s)\s*",
    re.IGNORECASE,
)
#: Titles before a name.
TITLE = re.compile(
    r"(?:Drs?|DRS|dr|Prof|prof|PROF|PD|Mrs?|MRS|mrs?|Ms|Miss|MISS|Mme|Mlle|Herrn?|HERR|Frau|FRAU|Hr|Fr|Sra?|Dott|Sig|Doctor"
    r"|DOCTOR|Professor|Pfr)\.?|DR|MR|(?:DR|MR|MS|HR|FR|SR|SRA|Dipl|Med|med|phil|habil|nat|rer|dent)\."
)
#: Of these, what means something else, too: a name must stand behind them, and behind MR a common one.
SHY_TITLE, SHYEST_TITLE = re.compile(r"DR|Hr|Fr|Sr|PD|Ms"), "MR"
TITLE_AND_NAME = re.compile(r"(?:Dr|Prof|Mrs?|Ms|Hr|Fr|Sra?|Dott|DR|PROF|dr)\.(?:med\.)?[^\W\d_][\w'’.-]+")
DEGREE = re.compile(r"(?:M\.?D|Ph\.?D|R\.?N|FRCR|MBBS|R\.T|MTRA|DDS|DMD|ARRT)\.?,?")
PARTICLES = _set("von vom van der den de du di da del della la le el al bin ben ter ten zu zur zum st")
#: Little words that go when what they lead to goes.
LEADING = _set(
    "for of by from to and the at in on per via with & für von bei an und der die das durch pour de du la le par et "
    "del para por y di per e is was are has seen see cc attn att re tel telephone telefon phone fax mobile handy cell "
    "pager ext mail email e-mail web site mrn id pid acc accession dob born geb geboren ssn no nr number name address "
    "compared date dated time"
)

#: Numbers with and without a unit, sizes, kernels, levels of the spine, parameters of MR: no word, but no name either.
_NUMBER = r"[+-]?(?:\d{1,3}(?:[.,]\d{1,4})?|[.,]\d{1,4})"
_UNITS = (
    "mm|cm|m|dm|µm|um|nm|ml|mls|cc|l|dl|s|sec|secs|ms|msec|us|µs|min|mins|h|hr|hrs|kvp?|kev|mev|mv|ma|mas|mgy|gy|cgy|mgycm|msv|t|hu|hz|"
    "khz|mhz|deg|°|mg|µg|kg|g|mmol|mci|mbq|bq|ci|mgi|fps|x|bits?|px|ch|d|st|nd|rd|th|%|w|p|c|i|sl|phases?|slices?|views?|dirs?"
)
CODE = re.compile(
    rf"{_NUMBER}"
    rf"|{_NUMBER}(?i:{_UNITS})"
    r"|\d{1,4}(?i:mm|ms|msec|hu|hz|x)"
    r"|\d{1,4}(?:[.,]\d{1,4})?(?:[xX×*]\d{1,4}(?:[.,]\d{1,4})?){1,2}(?:mm|cm)?"
    r"|[A-Za-z]\d{1,2}"
    r"|[A-DH-JLQ-U][a-z]?\d\d[a-z]{0,2}"  # kernels of Siemens
    r"|(?i:ep|fl|tfl|tse|fse|tof|ciss|gre|asl)[23]d\d?"  # sequences of Siemens
    r"|F[CL]\d\d"  # kernels of Toshiba and Canon
    r"|(?:[UEYXSC][ABC])"  # filters of Philips
    r"|[CTLS]\d{1,2}|Th\d{1,2}"
    r"|[tT][12](?:[wW][iI]?|\*|map)?|[bB]\d{1,4}|(?i:TE|TR|TI|FA|NEX|NSA|ETL|FOV|SL|SP|PAT|DYN|PH|IR|MB|GRAPPA|SENSE|DW|TD)\d{1,4}"
    r"|(?:I{1,3}|IV|VI{0,3}|IX|X)"
)
#: Numbers with full stops: a version, or a part of a date or an address.
DOTTED = re.compile(r"\d+(?:\.\d+){2,}")
#: A known word with a short number behind it (Head2), or with a plural's s.
NUMBERED = re.compile(r"([^\W\d_]{2,})\d{1,2}")
WORD = re.compile(r"[^\W\d_]+")
#: Letters or digits, without the marks between them.
TOKEN = re.compile(r"[^\W_]+")
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:[.,]\d+)?|[^\W_]+")


def _listed(name: str) -> list[str]:
    text = resources.files("cormack.dicom.deidentify").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "="))]


@cache
def vocabulary() -> frozenset[str]:
    """The words that a cleaned text may keep, in plain letters."""
    return frozenset(_listed("vocabulary.txt"))


@cache
def common_names() -> frozenset[str]:
    """Given and family names that are no words of the vocabulary, in plain letters."""
    return frozenset(plain_letters(word) for line in _listed("names.txt") for word in line.split()) - vocabulary()


def is_word(text: str) -> bool:
    """True if letters are a word of the vocabulary, or its plural."""
    plain = plain_letters(text)
    words = vocabulary()
    return plain in words or (len(plain) > 4 and plain.endswith("s") and plain[:-1] in words)


def is_description(token: str) -> bool:
    """True if a token without marks is a word of the vocabulary, a small number, a code, or a single letter."""
    if len(token) == 1 or CODE.fullmatch(token) or is_word(token):
        return True
    numbered = NUMBERED.fullmatch(token)
    if numbered and is_word(numbered[1]):
        return True
    parts = CAMEL.findall(token)
    return len(parts) > 1 and all(len(part) > 1 and (is_word(part) or CODE.fullmatch(part)) for part in parts)
