"""`cormack evaluate`: a network on a folder of images and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit
from cormack.files.nifti import write_labels
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.files.tables import write_table
from cormack.learn.cases import Case as Scan
from cormack.learn.cases import find_cases, read_case
from cormack.learn.history import CHECKPOINT_FILE
from cormack.measure.agreement import compare_labels
from cormack.measure.cohort import Case
from cormack.measure.confusion_matrix import confusion_matrix
from cormack.nn.predict import predict
from cormack.nn.store import Network, load_network
from cormack.pipeline.compare import COLUMNS
from cormack.pipeline.compare_page import comparison_content
from cormack.pipeline.comparison import CompareOptions, Comparison, cells, record
from cormack.pipeline.progress import Progress, Silent
from cormack.report.agreement import render_agreement
from cormack.report.learning import confusion_svg

#: The table of cases that a person should look at.
BELOW_FILE = "below.tsv"


@dataclass(frozen=True)
class Evaluation:
    """What came of it: agreement of every case, and those with a structure below the threshold as (case, structure)."""

    comparison: Comparison
    below: tuple[tuple[str, str], ...] = ()


def evaluate(
    network: str | Path,
    folder: Path,
    out: Path,
    *,
    below: float | None = None,
    surfaces: bool = True,
    keep: bool = False,
    assume_mm: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a network on every image of a folder and compare with the labels.

    Parameters
    ----------
    network : str or Path
        A packaged network, the folder of an exported one, or that of a training.
    folder : Path
        Holds `images/` and `labels/`.
    out : Path
        Gets `agreement.tsv` (a row per case and structure), `agreement.json` (summaries), `report.html`,
        `confusion.tsv` and `confusion.svg`.
    below : float, optional
        List cases with a structure of a lower Dice in `below.tsv`: a wrong label, or a case worth learning from.
    surfaces : bool
        Measure distances of surfaces, which takes longer than the network.
    keep : bool
        Write what the network drew to `predictions/`.
    assume_mm : bool
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the network, a case or the output cannot be used.
    """
    check_apart(folder, out)
    check_writable(out)
    listener = progress or Silent()
    scans = find_cases(folder)
    ready = _network(network)
    labels = ready.task.output.labels
    names = ("background", *(label.name for label in labels))
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    cases: list[Case] = []
    listener.step(f"Running {ready.task.name}")
    with OutputSet(out) as outputs:
        for number, scan in enumerate(scans, start=1):
            reference, found = _drawn(scan, ready, assume_mm=assume_mm)
            counts += confusion_matrix(reference.data, found.data, [label.index for label in labels])
            compared = compare_labels(reference, found, surfaces=surfaces)
            cases += [Case(scan.name, ready.task.name, agreement) for agreement in compared]
            if keep:
                write_labels(outputs.part(f"predictions/{scan.name}.nii.gz"), found)
            listener.advance(number, len(scans))
        comparison = Comparison.of(tuple(cases), CompareOptions(surfaces=surfaces), ())
        worse = _below(cases, below)
        _write(outputs, comparison, counts, names)
        if below is not None:
            rows = ({"case": case, "structure": structure} for case, structure in worse)
            write_table(outputs.part(BELOW_FILE), ("case", "structure"), rows, suffix=".tsv")
    return Evaluation(comparison, worse)


def is_training(network: str | Path) -> bool:
    """True for the folder of a training, which must be exported before it can be run: that needs torch."""
    return (Path(network) / CHECKPOINT_FILE).exists()


def _network(network: str | Path) -> Network:
    """A network ready to run; that of a training is exported first."""
    if not is_training(network):
        return load_network(network)
    from cormack.learn.export import export

    with TemporaryDirectory() as folder:
        export(Path(network), Path(folder))
        return load_network(Path(folder))


def _drawn(scan: Scan, network: Network, *, assume_mm: bool) -> tuple[LabelMap, LabelMap]:
    """The reference, without structures that the network does not know, and what the network draws."""
    image, values = read_case(scan, assume_mm=assume_mm)
    task = network.task
    unit = Unit.HU if task.modality == "CT" else Unit.ARBITRARY
    known = np.where(np.isin(values, [label.index for label in task.output.labels]), values, 0)
    reference = LabelMap(known.astype(np.uint16), image.affine, task.output.labels)
    found = predict(image.with_data(image.data, unit=unit), network)
    return reference, found.label_map(image.affine, image.shape)


def _below(cases: Sequence[Case], threshold: float | None) -> tuple[tuple[str, str], ...]:
    if threshold is None:
        return ()
    found = [case for case in cases if case.agreement.dice < threshold]
    found.sort(key=lambda case: case.agreement.dice)
    return tuple((case.subject, case.agreement.name) for case in found)


def _write(outputs: OutputSet, comparison: Comparison, counts: npt.NDArray[np.int64], names: Sequence[str]) -> None:
    write_table(outputs.part("agreement.tsv"), COLUMNS, (cells(case) for case in comparison.cases), suffix=".tsv")
    outputs.write_text("agreement.json", to_json(record(comparison)))
    outputs.write_text("report.html", render_agreement(comparison_content(comparison)))
    rows = []
    for name, row in zip(names, counts, strict=True):
        rows.append({"reference": name, **{other: str(n) for other, n in zip(names, row, strict=True)}})
    write_table(outputs.part("confusion.tsv"), ("reference", *names), rows, suffix=".tsv")
    total = counts.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    outputs.write_text("confusion.svg", confusion_svg(shares, names))
