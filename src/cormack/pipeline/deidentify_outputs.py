"""The output folder of a de-identification: whose it is, what unfinished files are in it, its report and audit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cormack.core.errors import OutputError
from cormack.files.outputs import OutputSet, check_writable, sweep_parts
from cormack.files.sidecar import to_json
from cormack.report.deidentification import audit_record, render_deidentification
from cormack.report.deidentification_content import DeidentificationContent

REPORT_NAME, AUDIT_NAME = "deidentification_report.html", "deidentification_audit.json"
#: Levels of folders below the output: patient, study, series.
_LEVELS = 3


def open_folder(out: Path, fingerprint: Mapping[str, object]) -> None:
    """Take a folder for a run: a new or empty one, or that of an earlier run which would give the same files.

    What a killed run left unfinished is removed, and an audit that says so is written before any object.

    Parameters
    ----------
    out : Path
    fingerprint : mapping
        What decides about the content of the files: options, the key's label, version.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_writable(out)
    sweep_parts(out)
    if out.is_dir() and any(out.iterdir()):
        _check_earlier(out, fingerprint)
        sweep_folder(out)
    with OutputSet(out) as outputs:
        outputs.write_text(AUDIT_NAME, to_json({"Complete": False, "Fingerprint": dict(fingerprint)}))


def close_folder(out: Path, fingerprint: Mapping[str, object], content: DeidentificationContent) -> Path:
    """Write report and audit; returns the report.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    with OutputSet(out) as outputs:
        outputs.write_text(REPORT_NAME, render_deidentification(content))
        record = {"Complete": True, "Fingerprint": dict(fingerprint), **audit_record(content)}
        outputs.write_text(AUDIT_NAME, to_json(record))
    return out / REPORT_NAME


def sweep_folder(out: Path) -> None:
    """Remove unfinished files of processes that were ended."""
    for folder in _folders(out, _LEVELS):
        sweep_parts(folder)


def _check_earlier(out: Path, fingerprint: Mapping[str, object]) -> None:
    try:
        earlier = json.loads((out / AUDIT_NAME).read_text(encoding="utf-8"))["Fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{out} holds files that are no result of cormack deidentify; name a new or an empty folder"
        ) from error
    if earlier != json.loads(json.dumps(dict(fingerprint))):
        raise OutputError(
            f"{out} holds the result of a run with other options, another key or another version; name a new folder, "
            "or remove the old result first"
        )


def _folders(folder: Path, levels: int) -> list[Path]:
    """A folder and those below it, down to some level; links are not followed."""
    below = [p for p in folder.iterdir() if p.is_dir() and not p.is_symlink()] if levels and folder.is_dir() else []
    return [folder, *(deeper for one in below for deeper in _folders(one, levels - 1))]
