"""Configurations of the 2-D U-Net of Cai et al. 2020 (doi 10.1148/ryai.2020190183) trained and measured one by one.

    python experiments/neuroanatomy/compare.py ANATOMIES OUT [--steps 300] [--cases 2] [--full] [--rows NAME ...]

The eight of the paper's table 1 as we read it: four normalisations, each without and with class weights. Everything
else is that of `paper.toml`, on pixels of 1 mm and with a quarter of the channels; with --full as it is. A training
that OUT holds already is not done again, one that was interrupted goes on. Prints a table in Markdown: Dice on the
scans that `evaluate.py` makes of the map and of the composed anatomies that were held out, mean of the eleven
structures (SD over scans), mean of those that are less than 1 % of a head, and the seconds of a step.
"""

from __future__ import annotations

import argparse
import csv
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import ELEVEN, HELD_OUT, NETWORK, OVERALL, TRUTH, Row, dice_of, markdown, mean_sd, measured, of
from held_out import held_out

from cormack.core.errors import TrainingError
from cormack.core.tables import read_toml, to_toml
from cormack.learn.config import read_config
from cormack.learn.export import export
from cormack.learn.train import train

PAPER = Path(__file__).with_name("paper.toml")
REDUCED = {
    "task.input.spacing_mm": [1.0, 1.0, 4.0],
    "task.input.tile": [256, 256],
    "data.shape": [256, 256, 48],
    "network.channels": [16, 32, 64, 128, 256],
    # The paper's rate needs its tens of thousands of steps.
    "training.learning_rate": 1e-3,
    "training.schedule": "one-cycle",
}
CONFIGURATIONS = {
    f"{norm}, {weights}": {"network.normalisation": norm, "training.class_weights": weights}
    for norm, weights in product(("none", "batch", "instance", "layer", "group"), ("none", "attenuated", "balanced"))
}
EIGHT = tuple(
    f"{norm}, {weights}" for norm, weights in product(("none", "batch", "instance", "layer"), ("none", "attenuated"))
)
SMALL = (
    "caudate nucleus",
    "central sulcus",
    "insular cortex",
    "internal capsule",
    "lentiform nucleus",
    "septum pellucidum",
)
GROUPS = ("manual map", "composed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--cases", type=int, default=2, help="scans of each set")
    parser.add_argument("--names", nargs="+", default=HELD_OUT)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rows", nargs="+", choices=tuple(CONFIGURATIONS), default=EIGHT, metavar="NAME")
    given = parser.parse_args()
    lines = []
    for name in given.rows:
        folder = given.out / name.replace(", ", "-")
        try:
            network, seconds = trained(CONFIGURATIONS[name], folder, given)
        except TrainingError as error:
            # Without normalisation a training may diverge, which is a result, too.
            lines.append((*name.split(", "), str(error), *[""] * 4))
            continue
        scans = held_out(given.anatomies, given.names, given.cases, pixel_mm=1.0)
        rows, _ = measured(scans, folder, network, None, None)
        lines.append((*name.split(", "), *figures(of(rows, NETWORK, TRUTH)), f"{seconds:.2f}"))
        # After every training, so that what was measured stays if the rest takes too long.
        (given.out / "table.md").write_text(f"{table(lines)}\n", encoding="utf-8")
    print(f"\n{table(lines)}")


def trained(changes: Mapping[str, Any], folder: Path, given: Namespace) -> tuple[Path, float]:
    """The folder of the exported network of a configuration, and the seconds that a step took."""
    folder.mkdir(parents=True, exist_ok=True)
    path, run, network = folder / "configuration.toml", folder / "run", folder / "network"
    text = to_toml(configuration(changes, given))
    if not (network / "model.onnx").exists():
        path.write_text(text, encoding="utf-8")
        train(read_config(path), run, text=text, resume=True)
        export(run, network)
    with (run / "metrics.csv").open(encoding="utf-8") as lines:
        last_row = list(csv.DictReader(lines))[-1]
    return network, float(last_row["seconds"]) / float(last_row["step"])


def configuration(changes: Mapping[str, Any], given: Namespace) -> dict[str, Any]:
    """The paper's settings with what differs."""
    settings = read_toml(PAPER)
    fixed = {
        "data.anatomies": str(given.anatomies.resolve()),
        "data.validation_names": list(given.names),
        "training.steps": given.steps,
        "training.validate_every": given.steps,
        "training.threads": given.threads,
    }
    for key, value in {**({} if given.full else REDUCED), **fixed, **changes}.items():
        *tables, last = key.split(".")
        part = settings
        for name in tables:
            part = part[name]
        part[last] = value
    return settings


def figures(rows: Sequence[Row]) -> tuple[str, ...]:
    """Dice of the eleven and of the small ones, for both sets."""
    found = []
    for group in GROUPS:
        own = [row for row in rows if row.group == group]
        small = [dice_of(own, name) for name in SMALL]
        found += [mean_sd(dice_of(own, OVERALL), 3), f"{np.nanmean(small):.3f}"]
    return tuple(found)


def table(lines: Sequence[Sequence[str]]) -> str:
    titles = [title for group in GROUPS for title in (f"{group}, {len(ELEVEN)}", f"{group}, small")]
    return markdown(("normalisation", "class weights", *titles, "s per step"), lines)


if __name__ == "__main__":
    main()
