"""Training: seconds per step by precision, threads and normalisation; and what losses and normalisations reach.

python benchmarks/training.py                                       # seconds per step, and against plain torch
python benchmarks/training.py --compare CONFIG.toml OUT --steps 300  # validation Dice of every variant
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cormack.core.tables import to_toml
from cormack.learn.config import Config, DataOptions, NetworkOptions, TrainingOptions, read_config
from cormack.learn.losses import make_loss
from cormack.learn.networks import make_network
from cormack.learn.sample import Sample
from cormack.learn.train import keep_memory, train
from cormack.learn.trainer import Trainer, stack
from cormack.nn.task import task_from_table

SHAPE = (112, 128, 112)
TASK = {
    "name": "speed",
    "input": {"spacing_mm": [2.0] * 3, "channels": [{"kind": "window", "low": 0.0, "high": 1.0}] * 2},
    "output": {"labels": [{"value": 1, "name": "brain", "abbreviation": "B", "color": "#e69f00"}]},
}
#: Changes of a configuration that are compared, by name.
VARIANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "dice+cross-entropy": {},
    "dice": {"training": {"loss": "dice"}},
    "jaccard": {"training": {"loss": "jaccard"}},
    "cross-entropy": {"training": {"loss": "cross-entropy"}},
    "no normalisation": {"network": {"normalisation": "none"}},
    "batch renormalisation": {"network": {"normalisation": "batch-renorm"}},
    "layer normalisation": {"network": {"normalisation": "layer"}},
    "instance normalisation": {"network": {"normalisation": "instance"}},
    "group normalisation": {"network": {"normalisation": "group"}},
    "residual": {"network": {"residual": True}},
}


def seconds_per_step(network: NetworkOptions, training: TrainingOptions, steps: int = 4) -> float:
    """Median of some steps after the first."""
    torch.set_num_threads(training.threads)
    config = Config(task_from_table(TASK), DataOptions(folder="."), network, training, Path())
    trainer = Trainer(make_network(config), make_loss(training.loss), config)
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (2, *SHAPE)).astype(np.float16)
    batch = stack([Sample(image, (image[0] > 0).astype(np.uint8) * 255, "random")], 1)
    taken = []
    for _ in range(steps):
        start = perf_counter()
        trainer.step(batch)
        taken.append(perf_counter() - start)
    return float(np.median(taken[1:]))


def on_the_doubled_grid(layer: nn.Module, coarse: Tensor, fine: Tensor) -> Tensor:
    """What `convolve_on_two_grids` stands for, as every U-Net in torch has it."""
    doubled = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    return layer(torch.cat([doubled, fine], dim=1))


def against_torch(threads: int) -> None:
    """Print how many times as long a step takes with torch's own ways."""
    options, network = TrainingOptions(threads=threads), NetworkOptions(channels=(16, 32, 64, 96, 128))
    with mock.patch("cormack.learn.unet.convolve_on_two_grids", on_the_doubled_grid):
        plain = seconds_per_step(network, options, steps=8)
    coarse = seconds_per_step(network, options, steps=8)
    keep_memory()
    kept = seconds_per_step(network, options, steps=8)
    print(f"{threads} threads, channels {', '.join(map(str, network.channels))}: decoder on the doubled grid, as in "
          f"torch {plain:.2f} s a step; on the coarse grid {coarse:.2f} s, {plain / coarse:.2f} times as fast; and "
          f"memory kept {kept:.2f} s, {plain / kept:.2f} times as fast\n")  # fmt: skip


def speed(threads: int) -> None:
    """Print a table of seconds per step."""
    print(f"seconds per step, {' x '.join(map(str, SHAPE))} voxels, two channels, default U-Net")
    print("| threads | precision | normalisation | s |\n| --- | --- | --- | --- |")
    for count in range(1, threads + 1):
        for precision in ("bf16", "f32"):
            for norm in ("batch", "instance", "batch-renorm") if precision == "bf16" else ("batch",):
                options = TrainingOptions(precision=precision, threads=count)
                taken = seconds_per_step(NetworkOptions(normalisation=norm), options)
                print(f"| {count} | {precision} | {norm} | {taken:.2f} |", flush=True)


def compare(path: Path, out: Path, steps: int) -> None:
    """Train every variant from the same seed on the same samples and print what it reached."""
    print(f"validation Dice after {steps} steps\n\n| variant | best Dice | seconds |\n| --- | --- | --- |")
    (out / "anatomies").mkdir(parents=True, exist_ok=True)
    for name, changes in VARIANTS.items():
        text = tomllib.loads(path.read_text(encoding="utf-8"))
        config = read_config(path)
        for table in ("network", "training"):
            values = {**({"steps": steps} if table == "training" else {}), **changes.get(table, {})}
            config = replace(config, **{table: replace(getattr(config, table), **values)})
            text[table] = {**text.get(table, {}), **values}
        folder = out / name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        if not (folder / "anatomies").exists():
            # Made once, by the first variant.
            (folder / "anatomies").symlink_to((out / "anatomies").resolve())
        done = train(config, folder, text=to_toml(text), resume=True)
        print(f"| {name} | {done.best_dice:.4f} | {done.seconds:.0f} |", flush=True)


def main() -> None:
    """Speed, or a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("CONFIG", "OUT"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.compare:
        compare(*arguments.compare, arguments.steps)
    else:
        against_torch(arguments.threads)
        speed(arguments.threads)


if __name__ == "__main__":
    main()
