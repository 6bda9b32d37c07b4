"""Label maps compared with a reference: a table, its summary, and a page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.files.tables import write_table
from cormack.measure.agreement import compare_labels, drawn_slices
from cormack.measure.cohort import Case
from cormack.pipeline.compare_page import comparison_content
from cormack.pipeline.comparison import BY_NAME, CompareOptions, Comparison, cells, record
from cormack.pipeline.label_files import LabelFiles, pair_files, read_labels
from cormack.pipeline.progress import Progress, Silent
from cormack.report.agreement import render_agreement

#: Columns of the table.
COLUMNS = ("subject", "method", "index", "structure", *BY_NAME, "undefined")


def compare_files(
    reference: Path,
    predictions: Sequence[Path],
    out: Path,
    options: CompareOptions = CompareOptions(),  # noqa: B008  (frozen)
    *,
    progress: Progress | None = None,
) -> Comparison:
    """Compare label maps with a reference and write `agreement.tsv`, `agreement.json` and `report.html`.

    Parameters
    ----------
    reference : Path
        A NIfTI label map, or a folder of them, one per subject.
    predictions : sequence of Path
        As many methods as there are paths: files, or folders with files named as those of the reference.
    out : Path
        A folder.
    options : CompareOptions
    progress : Progress, optional

    Raises
    ------
    CormackError
        If inputs or output cannot be used. In folders a subject that cannot be compared is left out, and it is said.
    """
    listener = progress or Silent()
    for source in (reference, *predictions):
        check_apart(source, out)
    check_writable(out)
    subjects, missing = pair_files(reference, predictions)
    listener.step("Comparing")
    cases: list[Case] = []
    failures: list[str] = []
    for number, files in enumerate(subjects, start=1):
        try:
            cases += _compared(files, options)
        except InputError as error:
            if not reference.is_dir():
                raise
            failures.append(_without_names(error, files))
        listener.advance(number, len(subjects))
    if not cases:
        raise InputError(f"none of {len(subjects)} subjects could be compared: {failures[0]}")
    comparison = Comparison.of(tuple(cases), options, _findings(missing, failures, len(subjects)))
    listener.step("Writing files")
    with OutputSet(out) as outputs:
        write_table(outputs.part("agreement.tsv"), COLUMNS, (cells(case) for case in cases), suffix=".tsv")
        outputs.write_text("agreement.json", to_json(record(comparison)))
        outputs.write_text("report.html", render_agreement(comparison_content(comparison)))
    return comparison


def _compared(files: LabelFiles, options: CompareOptions) -> list[Case]:
    reference = read_labels(files.reference, options.names, assume_mm=options.assume_mm)
    slices = drawn_slices(reference) if options.slices == "drawn" else options.slices
    cases = []
    for method, path in files.predictions.items():
        predicted = read_labels(path, options.names, assume_mm=options.assume_mm)
        found = compare_labels(
            reference,
            predicted,
            tolerance_mm=options.tolerance_mm,
            slices=slices,
            undecided=options.undecided,
            surfaces=options.surfaces,
        )
        cases += [Case(files.subject, method, agreement) for agreement in found]
    return cases


def _without_names(error: InputError, files: LabelFiles) -> str:
    """The message without file names, which may hold what must not get into a result."""
    text = str(error)
    for path in (files.reference, *files.predictions.values()):
        text = text.replace(str(path), "a file")
    return text


def _findings(missing: int, failures: Sequence[str], subjects: int) -> tuple[Finding, ...]:
    findings = []
    if missing:
        findings.append(
            Finding(
                "predictions-missing",
                f"{missing} predictions are missing: no file of the reference's name. What is there was compared.",
                {"missing": missing},
            )
        )
    if failures:
        findings.append(
            Finding(
                "subjects-not-compared",
                f"{len(failures)} of {subjects} subjects could not be compared and were left out; the first: "
                f"{failures[0]}",
                {"failed": len(failures), "subjects": subjects},
            )
        )
    return tuple(findings)
