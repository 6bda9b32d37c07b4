"""The tables of this package: tab-separated text with comment lines, one heading line and one fact per row."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def rows_of(name: str) -> tuple[dict[str, str], ...]:
    """Give the rows of one table of `data`, by the names of the heading line.

    Parameters
    ----------
    name
        File name, such as ``profile_attributes.tsv``.

    """
    text = resources.files("cormack.dicom.deidentify").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    heading, *rows = lines
    return tuple(dict(zip(heading, row, strict=True)) for row in rows)
