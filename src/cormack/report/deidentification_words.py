"""What the options of the profile leave in, and the 18 identifiers of HIPAA's Safe Harbor, in plain words."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

MODIFIED_DATES, FULL_DATES = "retain-longitudinal-modified-dates", "retain-longitudinal-full-dates"


class Status(StrEnum):
    """How an identifier of Safe Harbor is met."""

    MET = "met"
    LEFT_IN = "left in"
    PIXELS = "depends on pixels"
    NONE = "not applicable"


@dataclass(frozen=True)
class OptionWords:
    """An option: its switch, its name in the standard, what it does, and what it leaves in."""

    switch: str
    name: str
    does: str
    leaves_in: str


@dataclass(frozen=True)
class ChecklistRow:
    """One of the 18 identifiers: its letter in 45 CFR 164.514(b)(2)(i), how it is met, and by what."""

    letter: str
    identifier: str
    status: Status
    how: str


@cache
def _texts() -> dict[str, Any]:
    text = resources.files("cormack.report").joinpath("texts", "deidentification.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def option_words() -> tuple[OptionWords, ...]:
    """All options, in the order of PS3.15 E.3."""
    return tuple(OptionWords(switch, **words) for switch, words in _texts()["options"].items())


def always_left_in() -> tuple[str, ...]:
    """What remains under every choice of options, one sentence each."""
    return tuple(_texts()["always_left_in"])


def safe_harbor_checklist(options: Iterable[str]) -> tuple[ChecklistRow, ...]:
    """The 18 identifiers of 45 CFR 164.514(b)(2)(i) in their order, each with how it is met under these options."""
    chosen = frozenset(options)
    return tuple(_checked(row, chosen) for row in _texts()["identifiers"])


def _checked(row: dict[str, Any], chosen: frozenset[str]) -> ChecklistRow:
    left = [f"{words} (by {option})" for option, words in row.get("left_in_by", {}).items() if option in chosen]
    if left:
        return ChecklistRow(row["letter"], row["name"], Status.LEFT_IN, f"Left in: {'; '.join(left)}.")
    better = [words for option, words in row.get("how_with", {}).items() if option in chosen]
    return ChecklistRow(row["letter"], row["name"], Status(row["status"]), better[0] if better else row["how"])


def statements(options: Iterable[str]) -> tuple[str, ...]:
    """What the result is and is not in law, as paragraphs; the first says whether it can be Safe Harbor at all."""
    chosen, words = frozenset(options), _texts()["statements"]
    letters = [row.letter for row in safe_harbor_checklist(chosen) if row.status is Status.LEFT_IN]
    paragraphs = [words["left_in"].format(letters=", ".join(letters)) if letters else words["nothing_left_in"]]
    if MODIFIED_DATES in chosen:
        paragraphs.append(words["modified_dates"])
    if FULL_DATES in chosen:
        paragraphs.append(words["full_dates"])
    return (*paragraphs, words["pseudonymised"])
