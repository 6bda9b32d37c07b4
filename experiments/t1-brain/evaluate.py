"""Networks for the brain on T1 measured beside each other, as in tables and violin plots of Kaliyugarasan et al. 2020.

    python experiments/t1-brain/evaluate.py OUT_DIR NETWORK ... --anatomies DIR [--heads N] [--real N] [--n4 N]

NETWORK is a packaged one, or LABEL=FOLDER of an exported one. Two sets: T1 synthesised of the anatomies in DIR whose
models no network here was trained on (44 and 45), with exact truth; and the real heads of mr_t1/nichart in
$CORMACK_SHARED against automatic labels (DLMUSE), which are no truth. The first heads of each set are given once more
after N4 bias field correction. Prints a table: Dice, Jaccard index and Hausdorff distance, mean (SD), least Dice,
volume difference, and the median seconds from volume to mask; then what N4 changes in the Dice of the same heads.
OUT_DIR gets a row per head and the plots.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Unit, Volume
from cormack.extract.mr_head import tissue_threshold
from cormack.files.nifti import read_stack
from cormack.files.tables import write_table
from cormack.imaging.n4 import n4
from cormack.measure.agreement import compare_labels
from cormack.nn.predict import predict
from cormack.nn.store import Network, load_network
from cormack.physics.synthesis.anatomy import load_anatomy
from cormack.physics.synthesis.mr import synthesize_mr
from cormack.physics.synthesis.options import MrSynthesis
from cormack.report.distributions import distribution_svg

HELD_OUT = ("subject44", "subject45")
#: Voxels of a synthetic head at 2 mm along (i, j, k); at another spacing the field of view stays.
SHAPE, SPACING_MM = (112, 128, 128), 2.0
#: Most heads lie in the upper half of the field of view, which shows neck and shoulders, as usual for T1.
OPTIONS = MrSynthesis(raised_mm=(-5.0, 32.0))
#: First number of a random state, so that no head is one of a training.
SEED = 90
AFTER_N4 = ", N4"
MEASURES = {"dice": "Dice", "jaccard": "Jaccard index", "hausdorff_mm": "Hausdorff distance (mm)"}


@dataclass(frozen=True)
class Row:
    """One head and one network."""

    heads: str
    head: str
    network: str
    dice: float
    jaccard: float
    hausdorff_mm: float
    volume_difference_percent: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    parser.add_argument("--anatomies", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=30)
    parser.add_argument("--real", type=int, default=8)
    parser.add_argument("--spacing-mm", type=float, default=SPACING_MM)
    parser.add_argument("--n4", type=int, default=8)
    given = parser.parse_args()
    networks = dict(named(network) for network in given.networks)
    given.out.mkdir(parents=True, exist_ok=True)
    columns = [field.name for field in fields(Row)]
    rows: list[Row] = []
    for heads, found in (
        ("synthetic", synthetic(given.anatomies, given.heads, given.spacing_mm)),
        ("real", real(given.real)),
    ):
        for number, (head, volume, truth) in enumerate(found):
            rows += measured(heads, head, volume, truth, networks)
            if number < given.n4:
                rows += measured(f"{heads}{AFTER_N4}", head, corrected(volume), truth, networks)
            # After every head, so that what was measured stays if the rest takes too long.
            write_table(given.out / "heads.tsv", columns, (cells(row) for row in rows), suffix=".tsv")
    for name, label in MEASURES.items():
        (given.out / f"{name}.svg").write_text(plot(rows, name, label), encoding="utf-8")
    print("\n".join((table(rows), "", *changes(rows))))


def named(network: str) -> tuple[str, Network]:
    """What a network is called in the table, and the network."""
    label, _, folder = network.rpartition("=")
    return label or Path(folder).name, load_network(folder)


def synthetic(anatomies: Path, count: int, spacing_mm: float) -> Iterator[tuple[str, Volume, AnyArray]]:
    """T1 of held-out models, and their truth; the same for every call."""
    paths = sorted(path for path in anatomies.glob("*.npz") if path.name.startswith(HELD_OUT))
    loaded = [load_anatomy(path) for path in paths]
    i, j, k = (round(n * SPACING_MM / spacing_mm) for n in SHAPE)
    for number in range(count):
        anatomy = loaded[number % len(loaded)]
        made = synthesize_mr(
            anatomy, np.random.default_rng((SEED, number)), OPTIONS, shape=(i, j, k), spacing_mm=spacing_mm
        )
        yield f"{anatomy.name} {number}", made.volume, made.target.data >= 0.5


def real(count: int) -> Iterator[tuple[str, Volume, AnyArray]]:
    """T1 of people with automatic labels: everything labelled, without cavities."""
    folder = Path(os.environ.get("CORMACK_SHARED", "../shared")) / "data/mr_t1/nichart"
    for number, path in enumerate(sorted(folder.glob("*_T1.nii.gz"))[:count], start=1):
        image = read_stack(path)[0].to_volume()
        labels = read_stack(path.with_name(path.name.replace("_T1", "_T1_DLMUSE")))[0].to_volume()
        volume = Volume(image.data, image.affine, unit=Unit.ARBITRARY, outside=0.0)
        yield f"real {number}", volume, ndimage.binary_fill_holes(labels.data > 0)


def corrected(volume: Volume) -> Volume:
    """Without its bias field, as N4 finds it within the head."""
    return n4(volume, np.asarray(volume.data > tissue_threshold(volume.data)))[0]


def measured(heads: str, head: str, volume: Volume, truth: AnyArray, networks: dict[str, Network]) -> Iterator[Row]:
    """A row of every network."""
    for name, network in networks.items():
        started = perf_counter()
        found = predict(volume, network).label_map(volume.affine, volume.shape)
        seconds = perf_counter() - started
        reference = LabelMap(truth.astype(np.uint8), volume.affine, network.task.output.labels)
        (one,) = compare_labels(reference, found)
        yield Row(heads, head, name, one.dice, one.counts.jaccard, one.hausdorff_mm, one.difference_percent, seconds)


def table(rows: list[Row]) -> str:
    """Sets and networks in Markdown."""
    lines = [
        "| heads | network | n | Dice | Jaccard | Hausdorff mm | least Dice | volume | s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for heads, network in dict.fromkeys((row.heads, row.network) for row in rows):
        of = [row for row in rows if (row.heads, row.network) == (heads, network)]
        dice, jaccard, hausdorff, volume, seconds = (
            np.array([getattr(row, name) for row in of])
            for name in ("dice", "jaccard", "hausdorff_mm", "volume_difference_percent", "seconds")
        )
        lines.append(
            f"| {heads} | {network} | {len(of)} | {mean_sd(dice, 4)} | {mean_sd(jaccard, 4)} | {mean_sd(hausdorff, 1)} "
            f"| {dice.min():.4f} | {volume.mean():+.1f} % | {np.median(seconds):.2f} |"
        )
    return "\n".join(lines)


def changes(rows: list[Row]) -> Iterator[str]:
    """What N4 does to the Dice of the same heads, a line per set and network."""
    before = {(row.heads, row.head, row.network): row.dice for row in rows}
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.heads.endswith(AFTER_N4):
            heads = row.heads.removesuffix(AFTER_N4)
            found.setdefault((heads, row.network), []).append(row.dice - before[heads, row.head, row.network])
    for (heads, network), values in found.items():
        yield f"N4, {heads}, {network}: Dice {mean_sd(np.array(values), 4)} on {len(values)} heads"


def mean_sd(values: AnyArray, digits: int) -> str:
    """Mean (standard deviation of the sample); heads without a surface to measure are left out."""
    known = values[np.isfinite(values)]
    if not known.size:
        return "-"
    deviation = known.std(ddof=1) if known.size > 1 else 0.0
    return f"{known.mean():.{digits}f} ({deviation:.{digits}f})"


def plot(rows: list[Row], name: str, label: str) -> str:
    """Violins: a group per set, a violin per network."""
    groups: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        groups.setdefault(row.heads, {}).setdefault(row.network, []).append(getattr(row, name))
    return distribution_svg(groups, label=label, kind="violin")


def cells(row: Row) -> dict[str, str]:
    """A row of the table of heads."""
    return {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in asdict(row).items()}


if __name__ == "__main__":
    main()
