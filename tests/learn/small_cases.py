"""Small heads of two structures, and the words of a configuration about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.files.nifti import write_labels, write_volume

TABLE = LabelTable((Label(1, "brain", "B", (230, 159, 0)), Label(2, "core", "C", (86, 180, 233))))
SPACING_MM = 4.0

TASK = """
[task]
name = "ball"
modality = "CT"
input.spacing_mm = [4.0, 4.0, 4.0]
input.multiple_of = 8
input.channels = [{{ kind = "window", low = -100.0, high = 200.0 }}]
input.{input}
output.labels = [{labels}]
"""
BRAIN = '{ value = 1, name = "brain", abbreviation = "B", color = "#e69f00" }'
CORE = '{ value = 2, name = "core", abbreviation = "C", color = "#56b4e9" }'
NETWORK = "[network]\nchannels = [4, 8, 8]\nconvolutions = [1, 1, 1]\n"


def config_text(
    data: str, *, labels: str = BRAIN, task_input: str = "dimensions = 3", network: str = NETWORK, training: str = ""
) -> str:
    """A whole configuration."""
    fast = "steps = 4\nvalidate_every = 2\nthreads = 1\nprecision = 'f32'\n"
    keys = {line.split("=")[0].strip() for line in training.splitlines()}
    kept = "".join(line + "\n" for line in fast.splitlines() if line.split("=")[0].strip() not in keys)
    return TASK.format(input=task_input, labels=labels) + data + network + "[training]\n" + kept + training


def write_pair(folder: Path, name: str, seed: int, *, shape: tuple[int, int, int] = (20, 24, 18)) -> None:
    """A ball of 40 HU with a core of 80 HU in air, and its labels."""
    rng = np.random.default_rng(seed)
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    middle = (np.asarray(shape) - 1) / 2 + rng.uniform(-1, 1, 3)
    at = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1) - middle
    radius = np.linalg.norm(at, axis=-1)
    labels = (radius < 7).astype(np.uint8) + (radius < 3.5).astype(np.uint8)
    data = np.choose(labels, [-1000, 40, 80]) + rng.normal(0, 8, shape)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_volume(folder / "images" / f"{name}.nii.gz", Volume(data.astype(np.float32), affine))
    write_labels(folder / "labels" / f"{name}.nii.gz", LabelMap(labels, affine, TABLE))
