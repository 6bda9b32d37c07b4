"""The whole method of `cormack segment neuroanatomy` measured as in Cai et al. 2020 (doi 10.1148/ryai.2020190183).

    python experiments/neuroanatomy/evaluate.py ANATOMIES OUT [--network DIR] [--slices DIR] [--cases 8]
        [--widen SHARED_DATA] [--names NAME ...] [--second DIR] [--atlases N] [--pixel-mm 0.8] [--slices-mm 3 4 5]

ANATOMIES are those of `compose.py`; NAMES the beginnings of the names of those that the network was not trained on.
Sets of synthetic CT (`held_out.py`): the manual map that was held out, composed anatomies that were held out, tight
variants of both where there are any, and with --widen composed ones with ventricles about three times as large. From
the native scan and a brain mask to labels on the scan's voxels: by the packaged networks; or by --network, corrected by
--slices, or by none. Further routes, if wanted: --second, another network; --atlases, N anatomies of other subjects,
registered and fused (minutes a scan). Each is also held against what the others agree on.

Prints tables in Markdown; OUT gets them too, with a row per scan and structure, and the confusion matrices.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
from held_out import SLICE_SAMPLES, Scan, group_of, held_out, wide_ventricles

from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import AnyArray
from cormack.files.tables import write_table
from cormack.imaging.filled_box import filled_box
from cormack.imaging.staple import staple
from cormack.measure.agreement import compare_labels
from cormack.measure.confusion_matrix import confusion_matrix
from cormack.pipeline.neuroanatomy import find_structures
from cormack.report.learning import confusion_svg

HELD_OUT = ("mayo_2", "malf_1018", "malf_1019", "malf_1036")
ELEVEN = tuple(label.name for label in NEUROANATOMY)
PARTS = tuple(label.name for label in NEUROANATOMY_FINE if label.name not in ELEVEN)
CLASSES = ("background", *ELEVEN)
#: Names of the routes; the first is the one that is measured.
NETWORK, SECOND, ATLASES = "network", "second network", "atlases"
#: What a route is held against: the truth, or what the others agree on.
TRUTH, OTHERS = "truth", "the others"
OVERALL = "mean of the eleven"


@dataclass(frozen=True)
class Row:
    """One structure of one scan."""

    group: str
    scan: str
    route: str
    against: str
    structure: str
    dice: float
    reference_ml: float
    found_ml: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--slices", type=Path)
    parser.add_argument("--names", nargs="+", default=HELD_OUT)
    parser.add_argument("--cases", type=int, default=8, help="scans of each set")
    parser.add_argument("--widen", type=Path, metavar="SHARED_DATA")
    parser.add_argument("--second", type=Path)
    parser.add_argument("--atlases", type=int, default=0, metavar="N")
    parser.add_argument("--pixel-mm", type=float, default=0.8)
    parser.add_argument("--slices-mm", type=int, nargs="+", default=SLICE_SAMPLES, help="thicknesses to draw from")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    scans: Iterable[Scan] = held_out(given.anatomies, given.names, given.cases, given.pixel_mm, given.slices_mm)
    if given.widen is not None:
        kept = given.out / "wide"
        scans = chain(
            scans, wide_ventricles(given.widen, given.names, kept, given.cases, given.pixel_mm, given.slices_mm)
        )
    atlases = chosen_atlases(given.anatomies, given.names, given.atlases, given.out) if given.atlases else None
    rows, confusion = measured(scans, given.out, given.network, given.second, atlases, given.slices)
    for group, counts in confusion.items():
        write_confusion(given.out / f"confusion-{group.replace(' ', '-')}", counts)
    text = "\n\n".join(tables(rows))
    (given.out / "tables.md").write_text(f"{text}\n", encoding="utf-8")
    print(f"\n{text}")


def chosen_atlases(anatomies: Path, held: Sequence[str], count: int, out: Path) -> Path:
    """A folder with links to the first usual variants of subjects that are not held out, the manual maps first."""
    firsts = [path for path in anatomies.glob("*-1.npz") if group_of(path.name) != "tight"]
    paths = [path for path in firsts if not path.name.startswith(tuple(held))]
    folder = out / "atlases"
    folder.mkdir(exist_ok=True)
    for path in sorted(paths, key=lambda path: (path.name.startswith("malf"), path.name))[:count]:
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path.resolve())
    return folder


def measured(
    scans: Iterable[Scan],
    out: Path,
    network: Path | None,
    second: Path | None,
    atlases: Path | None,
    slices: Path | None = None,
) -> tuple[list[Row], dict[str, AnyArray]]:
    """Rows of all scans, and the confusion matrix of each set."""
    rows: list[Row] = []
    confusion: dict[str, AnyArray] = {}
    for scan in scans:
        started = perf_counter()
        found = {NETWORK: find_structures(scan.volume, scan.brain, network=network, slices=slices).found.labels}
        seconds = perf_counter() - started
        if second is not None:
            found[SECOND] = find_structures(scan.volume, scan.brain, network=second).found.labels
        if atlases is not None:
            by_atlas = find_structures(scan.volume, scan.brain, method="atlas", atlases=atlases)
            found[ATLASES] = by_atlas.found.labels
        new = [*against_truth(scan, found), *against_others(scan, found)]
        counts = confusion_matrix(eleven(scan.truth).data, eleven(found[NETWORK]).data, range(1, len(CLASSES)))
        confusion[scan.group] = confusion.get(scan.group, 0) + counts
        rows += new
        # After every scan, so that what was measured stays if the rest takes too long.
        columns = [field.name for field in fields(Row)]
        write_table(out / "scans.tsv", columns, (cells(row) for row in rows), suffix=".tsv")
        overall = dice_of(of(new, NETWORK, TRUTH), OVERALL)[0]
        print(f"{scan.group}, {scan.name} ({scan.facts}): Dice {overall:.3f} in {seconds:.1f} s", flush=True)
    return rows, confusion


def eleven(labels: LabelMap) -> LabelMap:
    """The eleven of the sixteen."""
    return replace(labels, data=COARSE_OF_FINE[labels.data], table=NEUROANATOMY)


def against_truth(scan: Scan, found: dict[str, LabelMap]) -> Iterator[Row]:
    """Rows of every route: the eleven, and the parts of brainstem and cerebrum."""
    for route, labels in found.items():
        yield from compared(scan, route, TRUTH, eleven(scan.truth), eleven(labels))
        fine = compared(scan, route, TRUTH, scan.truth, labels)
        yield from (row for row in fine if row.structure in PARTS)


def against_others(scan: Scan, found: dict[str, LabelMap]) -> Iterator[Row]:
    """Rows of every route against the consensus (STAPLE) of the others, or against the only other one."""
    box = filled_box(scan.brain.data)
    if len(found) < 2 or box is None:
        return
    cut = {route: eleven(replace(labels, data=labels.data[box])) for route, labels in found.items()}
    for route, labels in cut.items():
        others = [other for name, other in cut.items() if name != route]
        yield from compared(scan, route, OTHERS, staple(others).labels if len(others) > 1 else others[0], labels)


def compared(scan: Scan, route: str, against: str, reference: LabelMap, labels: LabelMap) -> Iterator[Row]:
    for one in compare_labels(reference, labels, surfaces=False):
        yield Row(scan.group, scan.name, route, against, one.name, one.dice, one.reference_ml, one.predicted_ml)


def of(rows: Iterable[Row], route: str, against: str) -> list[Row]:
    """Rows of a route against the truth or the others."""
    return [row for row in rows if (row.route, row.against) == (route, against)]


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """All tables in Markdown, each after its title."""
    routes = tuple(dict.fromkeys(row.route for row in rows))
    for route in routes:
        yield f"Dice with the truth, {route}; mean (SD), least:"
        yield by_group(of(rows, route, TRUTH), (*ELEVEN, OVERALL, *PARTS), dice_cell)
    yield f"Volume, {NETWORK}; true mean, difference and size of the difference, mean (SD) in cm³:"
    yield by_group(of(rows, NETWORK, TRUTH), (*ELEVEN, *PARTS), volume_cell)
    if len(routes) > 1:
        yield "Dice of each route with what the others agree on (STAPLE), mean (SD), all sets:"
        yield by_route({route: of(rows, route, OTHERS) for route in routes})


def by_group(rows: Sequence[Row], names: Sequence[str], cell: Callable[[Sequence[Row], str], str]) -> str:
    """A line per structure, a column per set."""
    groups = {group: [row for row in rows if row.group == group] for group in dict.fromkeys(row.group for row in rows)}
    titles = (f"{group} (n = {len({row.scan for row in own})})" for group, own in groups.items())
    return markdown(("structure", *titles), ((name, *(cell(own, name) for own in groups.values())) for name in names))


def by_route(rows: dict[str, list[Row]]) -> str:
    """A line per structure, a column per route."""
    lines = ((name, *(mean_sd(dice_of(own, name), 3) for own in rows.values())) for name in (*ELEVEN, OVERALL))
    return markdown(("structure", *rows), lines)


def markdown(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(titles)
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, rule, *lines))


def dice_cell(rows: Sequence[Row], name: str) -> str:
    values = dice_of(rows, name)
    return f"{mean_sd(values, 3)}, {np.nanmin(values, initial=np.inf):.3f}"


def volume_cell(rows: Sequence[Row], name: str) -> str:
    own = [row for row in rows if row.structure == name]
    reference, found = (np.array([getattr(row, key) for row in own]) for key in ("reference_ml", "found_ml"))
    difference = found - reference
    return f"{reference.mean():.1f}; {mean_sd(difference, 1)}; {mean_sd(np.abs(difference), 1)}"


def dice_of(rows: Sequence[Row], name: str) -> AnyArray:
    """Dice of one structure in every scan, or the mean of the eleven in each: the paper's overall Dice."""
    if name != OVERALL:
        return np.array([row.dice for row in rows if row.structure == name])
    scans = dict.fromkeys((row.group, row.scan) for row in rows)
    each = ([r.dice for r in rows if (r.group, r.scan) == scan and r.structure in ELEVEN] for scan in scans)
    return np.array([np.nanmean(values) for values in each])


def mean_sd(values: AnyArray, digits: int) -> str:
    """Mean and standard deviation of the sample; structures absent in both have no Dice and do not count."""
    known = values[np.isfinite(values)]
    if not known.size:
        return "-"
    deviation = known.std(ddof=1) if known.size > 1 else 0.0
    return f"{known.mean():.{digits}f} ({deviation:.{digits}f})"


def write_confusion(path: Path, counts: AnyArray) -> None:
    """Voxels by their label in the truth (rows) and in the prediction as a table; shares of the rows as a picture."""
    rows = (
        {"truth": name, **dict(zip(CLASSES, map(str, row), strict=True))}
        for name, row in zip(CLASSES, counts, strict=True)
    )
    write_table(path.with_suffix(".tsv"), ("truth", *CLASSES), rows)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    path.with_suffix(".svg").write_text(confusion_svg(shares, CLASSES), encoding="utf-8")


def cells(row: Row) -> dict[str, str]:
    """A row of the table of scans."""
    return {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in asdict(row).items()}


if __name__ == "__main__":
    main()
