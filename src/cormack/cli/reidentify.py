"""`cormack reidentify`."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import asdict, fields
from pathlib import Path

import click

from cormack.cli.options import IN_PATH, OUT_PATH, talk_options
from cormack.cli.terminal import say
from cormack.core.errors import OutputError


@click.command(name="reidentify")
@click.argument("lookup", metavar="LOOKUP", type=IN_PATH)
@click.argument("out", metavar="[OUT.csv]", type=OUT_PATH, required=False)
@click.option("--project-key", "key_path", metavar="FILE", type=IN_PATH, required=True, help="The key of the project.")
@talk_options
def reidentify_command(lookup: Path, out: Path | None, key_path: Path, quiet: bool, verbose: int) -> None:
    """Read an encrypted look-up table: whom each pseudonym stands for, as CSV.

    The table holds identifiers. OUT.csv is readable by its owner alone, and an existing file is not replaced.
    """
    from cormack.dicom.deidentify.lookup import LookupRow, read_lookup
    from cormack.dicom.deidentify.project_key import load_key

    rows = read_lookup(lookup, load_key(key_path))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(LookupRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    # A header may hold what no character set has.
    table = text.getvalue().encode("utf-8", "backslashreplace")
    if out is None:
        click.echo(table.decode(), nl=False)
        return
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(table)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or 'unknown error'})") from error
    say(f"wrote {out}: {len(rows)} patient{'s' * (len(rows) != 1)}", quiet=quiet)
