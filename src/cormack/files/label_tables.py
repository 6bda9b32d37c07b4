"""Names of labels and volumes of structures as tab-separated text (BIDS `_dseg.tsv`)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelTable
from cormack.files.tables import write_table

#: Structures without a colour of their own get one of these in turn (Okabe and Ito, told apart by colour-blind eyes).
COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))

#: What BIDS writes where something is not known.
NOT_AVAILABLE = "n/a"


def read_label_table(path: Path) -> LabelTable:
    """Read the names of labels.

    Parameters
    ----------
    path : Path
        Tab-separated, with the columns `index` and `name`; `abbreviation`, `color` (`#rrggbb`) and `snomed_ct` if
        known. Index 0 is background and is passed over.

    Raises
    ------
    InputError
        If the file is missing or broken, or an index or a name occurs twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.DictReader(f, delimiter="\t", strict=True))
        labels = [_label(row) for row in rows]
    except (OSError, csv.Error, UnicodeDecodeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: not a table of labels; expected is tab-separated text with the columns index and name, and color "
            "as #rrggbb if given"
        ) from error
    return LabelTable(tuple(label for label in labels if label.index != 0))


def _label(row: dict[str, str]) -> Label:
    index, name = int(row["index"]), row["name"].strip()
    if not name:
        raise ValueError("name")
    color = (row.get("color") or "").strip().removeprefix("#")
    red, green, blue = bytes.fromhex(color) if color else COLORS[index % len(COLORS)]
    code = (row.get("snomed_ct") or "").strip()
    known = None if code in ("", NOT_AVAILABLE) else code
    return Label(index, name, (row.get("abbreviation") or name).strip(), (red, green, blue), known)


def unique_names(names: Iterable[str]) -> list[str]:
    """The names, those that occur again with a number.

    >>> unique_names(["lesion", "brain", "lesion"])
    ['lesion', 'brain', 'lesion (2)']
    """
    found: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name} ({number})"
        found.append(candidate)
    return found


def write_label_table(path: Path, table: LabelTable) -> None:
    """Write the names of labels as `read_label_table` reads them (BIDS `_dseg.tsv`)."""
    columns = ("index", "name", "abbreviation", "color", "snomed_ct")
    rows = [
        {
            "index": str(label.index),
            "name": label.name,
            "abbreviation": label.abbreviation,
            "color": "#" + bytes(label.color).hex(),
            "snomed_ct": label.snomed_ct or NOT_AVAILABLE,
        }
        for label in table
    ]
    write_table(path, columns, rows, suffix=".tsv")
