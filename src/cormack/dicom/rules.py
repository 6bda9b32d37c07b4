"""The numbers and names that series selection uses, and how a user replaces them by a TOML file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cormack.core.errors import InputError


@dataclass(frozen=True)
class SelectionRules:
    """Numbers and names that the rules use.

    Parameters
    ----------
    modality : str
        Modality that is asked for.
    min_slices : int
        Fewer positions make no volume.
    scout_slices : int
        A CT in a plane other than the axial one with at most so many images is a scout.
    stray_share : float
        A series of another patient with fewer slices than this share of the largest one is stray.
    min_extent_mm : float
        Below this, more coverage counts before everything else.
    thin_mm : float
        Slices thinner than this are not preferred for being still thinner.
    wide_mm : float
        A wider field of view is not that of a head; only then is another BodyPartExamined believed.
    other_parts : tuple of str
        BodyPartExamined values that are not the head.
    preferences : tuple of str
        Names of the preferences, the most important first; see `cormack.dicom.select.PREFERENCES`.
    """

    modality: str = "CT"
    min_slices: int = 3
    scout_slices: int = 3
    stray_share: float = 0.2
    min_extent_mm: float = 90.0
    thin_mm: float = 0.5
    wide_mm: float = 300.0
    other_parts: tuple[str, ...] = (
        "CHEST",
        "THORAX",
        "ABDOMEN",
        "PELVIS",
        "LSPINE",
        "TSPINE",
        "HEART",
        "KNEE",
        "HIP",
        "LUNG",
    )
    preferences: tuple[str, ...] = (
        "head-in-image",
        "whole-head",
        "head-sized",
        "enough-coverage",
        "axial",
        "original",
        "magnitude",
        "softer-kernel",
        "no-contrast",
        "thinner",
        "coverage",
        "more-slices",
        "number",
        "part",
    )


DEFAULT_RULES = SelectionRules()
#: Preferences among series of MR: T1 weighting and thin slices of any plane count, kernels and vessels do not.
MR_PREFERENCES = (
    "head-sized",
    "enough-coverage",
    "short-echo",
    "original",
    "magnitude",
    "thinner",
    "coverage",
    "more-slices",
    "number",
    "part",
)


def for_mr(rules: SelectionRules) -> SelectionRules:
    """The rules for MR; preferences that the user chose stay."""
    kept = rules.preferences if rules.preferences != DEFAULT_RULES.preferences else MR_PREFERENCES
    return replace(rules, modality="MR", preferences=kept)


def load_rules(path: str | os.PathLike[str]) -> SelectionRules:
    """Rules from a TOML file: its keys replace those of SelectionRules, the others keep their defaults.

    Raises
    ------
    InputError
        If the file cannot be read, or a key or value is not one of the rules.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the rules file {path} cannot be read as TOML: {error}") from error
    known = {field.name: getattr(DEFAULT_RULES, field.name) for field in fields(SelectionRules)}
    changes = {}
    for key, value in given.items():
        if key not in known:
            raise InputError(f"the rules file {path} has {key!r}; known rules are {', '.join(known)}")
        changes[key] = _converted(key, value, known[key], path)
    known_names = dict.fromkeys((*DEFAULT_RULES.preferences, *MR_PREFERENCES))
    if unknown := set(changes.get("preferences", ())) - set(known_names):
        names = ", ".join(known_names)
        raise InputError(f"the rules file {path} prefers {sorted(unknown)[0]!r}; known preferences are {names}")
    if changes.get("min_slices", 3) < 3:
        raise InputError(f"the rules file {path} sets min_slices to {changes['min_slices']}; at least 3 make a volume")
    return replace(DEFAULT_RULES, **changes)


def _converted(key: str, value: object, default: object, path: str | os.PathLike[str]) -> Any:
    """A TOML value as the type that the rule has."""
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if type(value) is type(default) and (not isinstance(value, int) or value >= 0):
        return value
    kind = "a list of texts" if isinstance(default, tuple) else f"{type(default).__name__}, not negative"
    raise InputError(f"the rules file {path} sets {key} to {value!r}; expected {kind}")
