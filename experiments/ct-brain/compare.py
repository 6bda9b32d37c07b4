"""Losses and normalisations compared: short trainings that differ in one setting, on a coarse grid.

    python experiments/ct-brain/compare.py ANATOMIES OUT_DIR [--steps N] [--seeds N] [--rows NAME ...]

ANATOMIES is a folder of anatomies as `cormack train` leaves one in its output. Everything but the setting in question
is that of `config.toml`, on 4 mm instead of 2 mm. Prints the table of `README.md`: Dice of the held-out models' images.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
from pathlib import Path

import numpy as np

from cormack.learn.config import read_config
from cormack.learn.train import train

HERE = Path(__file__).parent
COARSE = {"task.input.spacing_mm": [4.0, 4.0, 4.0], "data.shape": [64, 64, 64], "task.input.tile": [80, 80, 80]}
VARIANTS = {
    **{f"loss {name}": {"training.loss": name} for name in ("dice+cross-entropy", "dice", "jaccard", "cross-entropy")},
    **{
        f"normalisation {name}": {"network.normalisation": name}
        for name in ("none", "batch-renorm", "layer", "instance", "group")
    },
    "residual": {"network.residual": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", nargs="+", choices=tuple(VARIANTS), default=tuple(VARIANTS))
    given = parser.parse_args()
    print("| setting | Dice | soft Dice | s |\n| --- | --- | --- | --- |")
    for name in given.rows:
        rows = [measured(name, VARIANTS[name], given, seed) for seed in range(given.seeds)]
        dice, soft, seconds = np.mean(rows, axis=0)
        print(f"| {name} | {dice:.4f} | {soft:.4f} | {seconds:.0f} |", flush=True)


def measured(name: str, changes: dict[str, object], given: argparse.Namespace, seed: int) -> tuple[float, ...]:
    """Dice, soft Dice and seconds at the end of one training."""
    settings = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    fixed = {
        "data.anatomies": str(given.anatomies.resolve()),
        "training.steps": given.steps,
        "training.validate_every": given.steps,
        "training.seed": seed,
    }
    for key, value in {**COARSE, **fixed, **changes}.items():
        *tables, last = key.split(".")
        table = settings
        for part in tables:
            table = table[part]
        table[last] = value
    folder = given.out / f"{name.replace(' ', '-')}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "variant.toml"
    path.write_text(as_toml(settings), encoding="utf-8")
    train(read_config(path), folder / "run", text=path.read_text(encoding="utf-8"))
    with (folder / "run" / "metrics.csv").open(encoding="utf-8") as lines:
        last_row = list(csv.DictReader(lines))[-1]
    return float(last_row["dice_B"]), float(last_row["soft_dice_B"]), float(last_row["seconds"])


def as_toml(table: dict[str, object], head: str = "") -> str:
    """A table of tables as TOML."""
    plain = "".join(f"{key} = {inline(value)}\n" for key, value in table.items() if not isinstance(value, dict))
    nested = "".join(
        as_toml(value, f"{head}.{key}" if head else key) for key, value in table.items() if isinstance(value, dict)
    )
    return (f"[{head}]\n{plain}" if head and plain else plain) + nested


def inline(value: object) -> str:
    """A value of TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    main()
