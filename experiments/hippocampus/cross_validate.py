"""Five-fold cross-validation of the hippocampus network, patient-wise as far as identities can be told.

    python experiments/hippocampus/cross_validate.py train FOLDER OUT_DIR
    python experiments/hippocampus/cross_validate.py evaluate FOLDER OUT_DIR

FOLDER holds `images/` and `labels/` of Task04 of the Medical Segmentation Decathlon. The data set names no persons.
Crops 2n - 1 and 2n are far more alike than any others (`pairs.py`): both sides of a person, one of them mirrored. They
always stay in one fold.

To save time, folds share their beginnings: folds 0 to 2 start from a network that saw the cases of folds 3 and 4 alone,
and these from one that saw those of 0 to 2 alone. So every fold is measured with weights that never saw a case of it,
those of the last step; none are chosen. The packaged network (`final`) starts from the latter, sees all cases and is
trained as the folds are: 1000 steps on mildly changed images, then 2000 and 5000 more.

`evaluate` prints the table of the model card and writes `cases-N.tsv`: what `cormack segment hippocampus` draws on each
crop with the network of its fold.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.tables import to_toml
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import read_stack
from cormack.files.tables import write_table
from cormack.learn.config import read_config
from cormack.learn.export import export
from cormack.learn.history import BEST_FILE
from cormack.learn.train import train
from cormack.measure.agreement import compare_labels
from cormack.nn.grid import onto_grid
from cormack.nn.store import load_network
from cormack.segment.hippocampus import HIPPOCAMPUS, segment_hippocampus
from cormack.segment.hippocampus_views import look

HERE = Path(__file__).parent
FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class Training:
    """A training: folds that it must not see, what it starts from, its share of the steps, what else differs."""

    held: tuple[int, ...]
    start: str | None = None
    share: float = 1.0
    augmentation: Mapping[str, float] = field(default_factory=dict)


#: The first trainings changed the images less.
MILD = {"rotation_deg": 12.0, "scaling": 0.1, "blur_mm": 0.6, "gamma": 0.3, "shift": 0.1, "noise": 0.08}


TRAININGS = {
    "base-a": Training((3, 4), augmentation=MILD),
    "base-b": Training((0, 1, 2), augmentation=MILD),
    **{f"early-{n}": Training((n,), "base-a" if n > 2 else "base-b", 2.0) for n in range(FOLDS)},
    **{f"fold-{n}": Training((n,), f"early-{n}", 5.0) for n in range(FOLDS)},
    "early-final": Training((), "base-a", 2.0),
    "final": Training((), "early-final", 5.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "evaluate"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, help="of the first trainings, instead of the configuration's")
    given = parser.parse_args()
    if given.what == "evaluate":
        evaluate(given.folder, given.out)
        return
    for name in TRAININGS:
        train_one(name, given.folder, given.out, given.steps)


def persons(folder: Path) -> dict[int, list[str]]:
    """Names of the crops by the number of the person that they probably show."""
    found: dict[int, list[str]] = {}
    for path in sorted((folder / "images").glob("*.nii.gz")):
        name = path.name.removesuffix(".nii.gz")
        number = int(re.findall(r"\d+", name)[-1])
        found.setdefault((number + 1) // 2, []).append(name)
    return found


def fold_names(folder: Path, fold: int) -> list[str]:
    """The crops that a fold measures."""
    people = persons(folder)
    order = np.random.default_rng(SEED).permutation(sorted(people))
    return sorted(name for person in order[fold::FOLDS] for name in people[person])


def train_one(name: str, folder: Path, out: Path, steps: int | None) -> None:
    """Train without the folds that are held back, if that was not done before."""
    training = TRAININGS[name]
    settings = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    held = [case for fold in training.held for case in fold_names(folder, fold)]
    settings["data"] |= {"folder": str(folder.resolve()), "validation_names": held}
    count = round((steps or settings["training"]["steps"]) * training.share)
    settings["training"] |= {"steps": count, "validate_every": count}
    settings["data"]["augmentation"] |= training.augmentation
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.toml"
    path.write_text(to_toml(settings), encoding="utf-8")
    start = None if training.start is None else out / training.start
    done = train(read_config(path), out / name, text=path.read_text(encoding="utf-8"), resume=True, start=start)
    print(f"{name}: {done.steps} steps, {done.seconds:.0f} s, Dice {done.best_dice:.4f}", flush=True)


COLUMNS = (
    "case", "structure", "dice", "dice_plain", "hd95_mm", "reference_mm3", "found_mm3", "sd_mm3", "s", "side"
)  # fmt: skip


def evaluate(folder: Path, out: Path) -> None:
    """Measure every fold that was trained, if that was not done before."""
    rows: list[dict[str, str]] = []
    for fold in range(FOLDS):
        run, network, table = out / f"fold-{fold}", out / f"network-{fold}", out / f"cases-{fold}.tsv"
        if not (run / BEST_FILE).exists():
            continue
        if not table.exists():
            if not network.exists():
                export(run, network)
            write_table(
                table, COLUMNS, [row for case in fold_names(folder, fold) for row in measured(folder, case, network)]
            )
        with table.open(encoding="utf-8") as lines:
            rows += csv.DictReader(lines, delimiter="\t")
    heads = "structure | crops | Dice (SD) | median | worst | plain | HD95 mm | volume bias | error SD | views SD"
    print(f"| {heads} |\n|{' --- |' * (1 + heads.count('|'))}")
    for name in dict.fromkeys(row["structure"] for row in rows):
        print(summary(name, [row for row in rows if row["structure"] == name]))
    left = np.mean([row["side"] == "left" for row in rows])
    print(f"told as left: {100 * left:.1f} %; {np.median([float(row['s']) for row in rows]):.2f} s a crop (median)")


def measured(folder: Path, case: str, network: Path) -> list[dict[str, str]]:
    """Rows of both parts and of the whole."""
    image, reference = (read_stack(folder / part / f"{case}.nii.gz")[0].to_volume() for part in ("images", "labels"))
    volume = Volume(image.data, image.affine, Unit.ARBITRARY, 0.0)
    started = time.perf_counter()
    found = segment_hippocampus(volume, method="crop", network=network)
    seconds = time.perf_counter() - started
    ready = load_network(network)
    plain = look(onto_grid(volume, ready.task.input), ready, 0).labels
    truth = np.asarray(reference.data, dtype=np.uint8)
    spreads = found.record["ViewsSdMm3"]
    side = "left" if "a left one" in found.labels.description else "right"
    rows = []
    for name, drawn, right, simple in parts(truth, found.labels.data, plain):
        maps = [LabelMap(mask.astype(np.uint8), volume.affine, HIPPOCAMPUS) for mask in (right, drawn, simple)]
        best, bare = (compare_labels(maps[0], other, surfaces=n == 0)[0] for n, other in enumerate(maps[1:]))
        values = (best.dice, bare.dice, best.hausdorff95_mm, float(right.sum()), float(drawn.sum()), spreads[name])
        texts = [f"{value:.4f}" for value in (*values, seconds)]
        rows.append({"case": case, "structure": name} | dict(zip(COLUMNS[2:], (*texts, side), strict=True)))
    return rows


def parts(truth: np.ndarray, *drawn: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Name and masks (drawn, truth, plain) of the anterior and posterior part and of the whole, voxels of 1 mm³."""
    for label in HIPPOCAMPUS:
        yield label.name, drawn[0] == label.index, truth == label.index, drawn[1] == label.index
    yield "hippocampus", drawn[0] > 0, truth > 0, drawn[1] > 0


def summary(name: str, rows: list[dict[str, str]]) -> str:
    """A line of the table."""
    dice, plain, hd95, reference, found, sd = (np.array([float(row[c]) for row in rows]) for c in COLUMNS[2:8])
    error = found - reference
    return (
        f"| {name} | {len(rows)} | {dice.mean():.4f} ({dice.std():.3f}) | {np.median(dice):.4f} | {dice.min():.3f} | "
        f"{plain.mean():.4f} | {hd95.mean():.2f} | {100 * error.mean() / reference.mean():+.2f} % | "
        f"{error.std():.0f} mm³ | {np.median(sd):.0f} mm³ |"
    )


if __name__ == "__main__":
    main()
