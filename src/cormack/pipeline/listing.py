"""What a folder holds: its series as a table, its headers as a table; nothing of a person in either."""

from __future__ import annotations

from pathlib import Path

from cormack.core.errors import SeriesError
from cormack.dicom.header_table import ALLOWED, ORDINALS, header_table
from cormack.dicom.inventory import Inventory, take_inventory
from cormack.dicom.rules import DEFAULT_RULES, SelectionRules
from cormack.dicom.select import Selection, select_series
from cormack.dicom.source import open_source
from cormack.dicom.table import SeriesRow, series_table
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.tables import check_table_name, write_table
from cormack.pipeline.progress import Progress, Silent


def list_series(
    path: Path, *, rules: SelectionRules = DEFAULT_RULES, look: bool = False, progress: Progress | None = None
) -> tuple[tuple[SeriesRow, ...], Inventory, str | None]:
    """All series below a folder, which one a run would take, and why.

    Parameters
    ----------
    path : Path
        Folder, file, zip or tar.
    rules : SelectionRules
    look : bool
        Where several volumes remain, look into a few of their images as a run does; else headers only.
    progress : Progress, optional

    Returns
    -------
    rows : tuple of SeriesRow
    inventory : Inventory
        Counts of files, patients, studies, and of what was skipped.
    refusal : str or None
        Why no series would be taken; None if one would.

    Raises
    ------
    InputError
        If nothing is there or nothing of it is DICOM.
    """
    listener = progress or Silent()
    listener.step("Reading headers")
    selection: Selection | None = None
    refusal = None
    with open_source(path) as source:
        inventory = take_inventory(source, on_progress=listener.advance)
        try:
            selection = select_series(inventory, rules=rules, look=look)
        except SeriesError as error:
            refusal = str(error)
    return series_table(inventory, selection), inventory, refusal


def write_headers(path: Path, out: Path, *, progress: Progress | None = None) -> int:
    """Write the header fields of every file as a table, by an allow-list without patient data; returns the rows.

    Parameters
    ----------
    path : Path
        Folder, file, zip or tar.
    out : Path
        `….tsv` or `….parquet`.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the input holds no DICOM or the output cannot be written.
    """
    listener = progress or Silent()
    check_table_name(out)
    check_apart(path, out)
    check_writable(out.parent)
    with open_source(path) as source:
        listener.step("Reading headers")
        inventory = take_inventory(source, on_progress=listener.advance)
        listener.step("Writing the table")
        with OutputSet(out.parent) as outputs:
            rows = header_table(inventory, on_progress=listener.advance)
            return write_table(outputs.part(out.name), (*ORDINALS, *ALLOWED), rows, suffix=out.suffix)
