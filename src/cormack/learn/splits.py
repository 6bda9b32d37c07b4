"""Splits by subject, with the same mixture on both sides."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cormack.core.errors import ConfigurationError, InputError

#: Groups that a column of numbers, such as age, is parted into.
NUMBER_GROUPS = 3

Participants = Mapping[str, Mapping[str, str]]


def read_participants(path: Path) -> Participants:
    """Rows of a BIDS `participants.tsv` by `participant_id`; empty if there is no file.

    Raises
    ------
    InputError
        If it has no column `participant_id`.
    """
    if not path.exists():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    if rows and "participant_id" not in rows[0]:
        raise InputError(f"{path}: has no column participant_id; expected is a BIDS table, tab-separated")
    return {row["participant_id"]: row for row in rows}


def split(
    subjects: Sequence[str],
    share: float,
    seed: int,
    *,
    participants: Participants | None = None,
    columns: Sequence[str] = (),
    named: Sequence[str] = (),
) -> tuple[list[str], list[str]]:
    """Subjects to train on, and subjects to measure on.

    The subjects are sorted by the groups that the columns make, in random order within each, and every so many-th is
    taken: each group gives its share, rounded up or down.

    Parameters
    ----------
    subjects : sequence of str
        Each may occur several times.
    share : float
        Of the subjects to measure on; at least one, unless it is 0.
    seed : int
    participants, columns
        Table and names of its columns; numbers are parted into thirds.
    named : sequence of str
        Subjects to measure on, instead of a random choice.

    Raises
    ------
    ConfigurationError
        If a name or column is unknown, the share is not within 0 to 1, or no subject is left to train on.
    """
    everyone = sorted(set(subjects))
    if named:
        if missing := sorted(set(named) - set(everyone)):
            raise ConfigurationError(
                f"data.validation_names: {len(missing)} of {len(named)} are no subjects of the data"
            )
        held = sorted(named)
    else:
        held = _drawn(everyone, share, seed, _groups(everyone, participants or {}, columns))
    kept = [subject for subject in everyone if subject not in held]
    if not kept:
        raise ConfigurationError(f"no subject is left to train on: {len(everyone)} in all, {len(held)} to measure on")
    return kept, held


def _drawn(subjects: list[str], share: float, seed: int, groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    if not 0 <= share < 1:
        raise ConfigurationError(f"data.validation_share is {share}; give 0 or more, less than 1")
    if share == 0 or len(subjects) < 2:
        return []
    rng = np.random.default_rng(seed)
    order = sorted(rng.permutation(subjects).tolist(), key=lambda subject: groups[subject])
    count = max(1, round(share * len(order)))
    places = (np.arange(count) + rng.random()) * len(order) / count
    return sorted(order[int(place)] for place in places)


def _groups(subjects: Sequence[str], table: Participants, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    known = {name for row in table.values() for name in row}
    if unknown := [name for name in columns if name not in known]:
        raise ConfigurationError(
            f"data.stratify names {unknown[0]!r}; participants.tsv has {', '.join(sorted(known)) or 'no rows'}"
        )
    parts = [_group(subjects, {s: table.get(s, {}).get(name, "n/a") for s in subjects}) for name in columns]
    return {subject: tuple(part[subject] for part in parts) for subject in subjects}


def _group(subjects: Sequence[str], values: Mapping[str, str]) -> dict[str, str]:
    """Words as they are; numbers by the third that they fall into."""
    numbers = {}
    for subject, value in values.items():
        try:
            numbers[subject] = float(value)
        except ValueError:
            if value != "n/a":
                return dict(values)
    edges = np.quantile(list(numbers.values()) or [0.0], np.arange(1, NUMBER_GROUPS) / NUMBER_GROUPS)
    return {s: str(int(np.searchsorted(edges, numbers[s]))) if s in numbers else "n/a" for s in subjects}
