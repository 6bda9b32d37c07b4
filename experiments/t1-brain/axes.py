"""Which way slices are best cut for the 2-D network: short trainings on a coarse grid that differ in the axis alone.

    python experiments/t1-brain/axes.py ANATOMIES OUT_DIR [--steps N] [--axes NAME ...]

ANATOMIES is a folder of anatomies as `cormack train` leaves one in its output. Everything but the axis is that of
`config-2d.toml`, on 4 mm instead of 2 mm. Leaves a network per axis in OUT_DIR, for `evaluate.py --spacing-mm 4`: the
Dice of slices along different axes cannot be compared, that of whole heads can.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cormack.core.tables import read_toml, to_toml
from cormack.learn.config import read_config
from cormack.learn.export import export
from cormack.learn.train import train

AXES = ("sagittal", "coronal", "axial")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--axes", nargs="+", choices=AXES, default=AXES)
    given = parser.parse_args()
    for name in given.axes:
        settings = read_toml(Path(__file__).with_name("config-2d.toml"))
        settings["task"]["input"] |= {"spacing_mm": [4.0, 4.0, 4.0], "slice_axis": AXES.index(name)}
        settings["data"] |= {"anatomies": str(given.anatomies.resolve()), "shape": [64, 64, 64]}
        settings["training"] |= {"steps": given.steps, "validate_every": given.steps}
        run = given.out / name / "run"
        run.mkdir(parents=True, exist_ok=True)
        text = to_toml(settings)
        (given.out / f"{name}.toml").write_text(text, encoding="utf-8")
        trained = train(read_config(given.out / f"{name}.toml"), run, text=text)
        export(run, given.out / name / "network")
        print(f"{name}: {trained.steps} steps in {trained.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
