"""`cormack scan` and `cormack headers`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cormack.cli.options import IN_PATH, OUT_PATH, talk_options
from cormack.cli.terminal import listener, say

if TYPE_CHECKING:
    from cormack.dicom.inventory import Inventory
    from cormack.dicom.table import SeriesRow

#: Columns of the terminal's table, with their headings; the other formats hold all columns.
SHORT = {
    "patient": "patient",
    "study": "study",
    "series": "series",
    "modality": "",
    "images": "images",
    "plane": "plane",
    "slice_thickness_mm": "thick mm",
    "slice_distance_mm": "step mm",
    "tilt_deg": "tilt °",
    "kernel": "kernel",
    "chosen": "",
}
#: Width of the table where the output is not a terminal.
PLAIN_WIDTH = 110


@click.command(name="scan")
@click.argument("source", metavar="FOLDER", type=IN_PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "tsv", "json"]),
    default="table",
    show_default=True,
    help="How to print the series.",
)
@click.option("-o", "--output", type=OUT_PATH, help="Write to this file instead of the terminal.")
@click.option(
    "--rules", metavar="FILE.toml", type=IN_PATH, help="Rules of series selection in place of the built-in ones."
)
@click.option(
    "--look",
    is_flag=True,
    help="Where several volumes remain, look into a few images of each, as a run does: is there a head, are vessels "
    "filled with contrast medium?",
)
@talk_options
def scan_command(
    source: Path, form: str, output: Path | None, rules: Path | None, look: bool, quiet: bool, verbose: int
) -> None:
    """List patients, studies and series of a folder, zip or tar: headers only, nothing of a person."""
    from cormack.dicom.rules import DEFAULT_RULES, load_rules
    from cormack.files.outputs import OutputSet, check_apart, check_writable
    from cormack.pipeline.listing import list_series

    if output is not None:
        check_apart(source, output)
        check_writable(output.parent)
        if form == "table":
            form = "json" if output.suffix == ".json" else "tsv"
    with listener(quiet=quiet, verbose=verbose) as progress:
        rows, inventory, refusal = list_series(
            source, rules=DEFAULT_RULES if rules is None else load_rules(rules), look=look, progress=progress
        )
    if form == "table":
        _print_table(rows, inventory, refusal)
        return
    text = _as_text(rows, inventory, form)
    if output is None:
        click.echo(text, nl=False)
        return
    with OutputSet(output.parent) as outputs:
        outputs.write_text(output.name, text)
    say(f"wrote {output}", quiet=quiet)


def _as_text(rows: tuple[SeriesRow, ...], inventory: Inventory, form: str) -> str:
    from cormack.dicom.table import as_records, as_tsv
    from cormack.files.sidecar import to_json

    if form == "tsv":
        return as_tsv(rows)
    counts = {
        "files": inventory.n_files,
        "images": inventory.n_instances,
        "patients": inventory.n_patients,
        "studies": inventory.n_studies,
        "skipped": dict(inventory.skipped),
    }
    return to_json({**counts, "series": as_records(rows)})


def _print_table(rows: tuple[SeriesRow, ...], inventory: Inventory, refusal: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name, heading in SHORT.items():
        table.add_column(heading, justify="right" if name.endswith(("_mm", "_deg")) else "left", no_wrap=True)
    for row in rows:
        cells = asdict(row)
        cells["chosen"] = {True: "✔", False: "", None: "?"}[row.chosen]
        table.add_row(*(_cell(cells[name]) for name in SHORT), style="bold" if row.chosen else None)
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(table)
    for row in rows:
        if row.reason:
            part = f" part {row.part}" if row.part > 1 else ""
            verdict = "chosen" if row.chosen else "not used"
            console.print(f"series {row.series}{part}: {verdict}, {row.reason}", highlight=False, markup=False)
    skipped = ", ".join(f"{count} × {reason}" for reason, count in sorted(inventory.skipped.items()))
    console.print(
        f"{inventory.n_files} files, {inventory.n_instances} images of {inventory.n_patients} patient(s), "
        f"{inventory.n_studies} study(ies), {len(rows)} series" + (f"; skipped: {skipped}" if skipped else ""),
        highlight=False,
    )
    if refusal:
        console.print(f"no series would be taken: {refusal}", highlight=False, markup=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@click.command(name="headers")
@click.argument("source", metavar="FOLDER", type=IN_PATH)
@click.argument("out", metavar="TABLE.tsv|.parquet", type=OUT_PATH)
@talk_options
def headers_command(source: Path, out: Path, quiet: bool, verbose: int) -> None:
    """Write the header fields of every image as a table, by an allow-list that leaves out patient data."""
    from cormack.pipeline.listing import write_headers

    with listener(quiet=quiet, verbose=verbose) as progress:
        count = write_headers(source, out, progress=progress)
    say(f"wrote {out}: {count} rows", quiet=quiet)
