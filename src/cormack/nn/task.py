"""What a network is for: the image it takes, the classes it gives, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cormack.core.errors import ConfigurationError, InputError
from cormack.core.labels import Label, LabelTable
from cormack.core.tables import check_keys, from_table, read_toml, to_toml
from cormack.imaging.orient import axis_order
from cormack.nn.post import STEPS

MODALITIES = ("CT", "MR")
#: Kinds of channels, and whether they need `low` and `high`.
CHANNEL_KINDS = {"window": True, "zscore": False, "percentile": True, "root": True}


@dataclass(frozen=True)
class Channel:
    """How one channel is made of the image's values; voxels that were never measured take no part in statistics.

    Parameters
    ----------
    kind : "window", "zscore", "percentile" or "root"
        `window`: clipped to low…high (units of the image) and brought to -1…1. `percentile`: the same between two
        percentiles (0…100) of the image. `root`: the square root of the share of what lies between the percentiles,
        brought to -1…1, which spreads what is dark: fluid and bone on T1-weighted MR. `zscore`: less the mean, divided
        by the standard deviation.
    low, high : float
        Limits; not used by `zscore`.
    """

    kind: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class TaskInput:
    """The grid and the channels that a network takes.

    Parameters
    ----------
    channels : tuple of Channel
    spacing_mm : three floats
        Spacing of the network's grid along its axes.
    dimensions : 3, 2 or 2.5
        2: every slice of axis `slice_axis` alone; 2.5: with `context` slices on either side as further channels.
    orientation : str
        Directions in which the axes of the network's grid grow, such as RAS.
    slice_axis : 0, 1 or 2
        The axis of the network's grid along which slices are taken.
    context : int
    multiple_of : int
        The grid is padded to multiples of this along the axes that the network sees.
    tile : tuple of int, optional
        Larger grids go by overlapping tiles of this shape; whole without it.
    pad_value : float
        Where nothing was measured, in units of the image.
    guides : int
        Further channels, after those of the image: what another network says of every class, which this one corrects
        (`nn.channels.guide`). As many as the network's output has channels, or none.
    """

    channels: tuple[Channel, ...]
    spacing_mm: tuple[float, float, float]
    dimensions: float = 3
    orientation: str = "RAS"
    slice_axis: int = 2
    context: int = 0
    multiple_of: int = 16
    tile: tuple[int, ...] | None = None
    pad_value: float = -1000.0
    guides: int = 0


@dataclass(frozen=True)
class TaskOutput:
    """The classes without the background, in the order of the network's output.

    One class comes as one logit (sigmoid); several come with a background before them (softmax).
    """

    labels: LabelTable

    @property
    def classes(self) -> int:
        """Channels of the network's output."""
        return 1 if len(self.labels) == 1 else len(self.labels) + 1


@dataclass(frozen=True)
class TaskPost:
    """Names of steps in `nn.post.STEPS`, done in this order with the labels."""

    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A network's task, as `task.toml` says it.

    Parameters
    ----------
    name, description : str
    modality : "CT" or "MR"
    input : TaskInput
    output : TaskOutput
    sha256 : str
        Of `model.onnx`; empty until there is one.
    post : TaskPost
    trained : mapping
        Free: data, seed, figures.
    """

    name: str
    description: str
    modality: str
    input: TaskInput
    output: TaskOutput
    sha256: str = ""
    post: TaskPost = TaskPost()
    trained: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_channels(self) -> int:
        """Channels of the network's input: in 2.5-D the neighbours of a slice count, too, and guides always."""
        return len(self.input.channels) * (2 * self.input.context + 1) + self.input.guides


@dataclass(frozen=True)
class _LabelRow:
    value: int
    name: str
    abbreviation: str
    color: str
    snomed_ct: str | None = None


@dataclass(frozen=True)
class _Output:
    labels: tuple[_LabelRow, ...]


@dataclass(frozen=True)
class _Tables:
    name: str
    input: TaskInput
    output: _Output
    description: str = ""
    modality: str = "CT"
    sha256: str = ""
    post: TaskPost = TaskPost()
    trained: Mapping[str, Any] = field(default_factory=dict)


def read_task(path: Path) -> Task:
    """Read a `task.toml`.

    Raises
    ------
    ConfigurationError
        If it is no TOML, holds an unknown key, or a value that is not allowed.
    """
    return task_from_table(read_toml(path), "task")


def task_from_table(table: Mapping[str, Any], where: str = "task") -> Task:
    """A task from the tables of TOML; `where` names them in messages.

    Raises
    ------
    ConfigurationError
        If a key is unknown or missing, or a value is not allowed.
    """
    given = from_table(_Tables, table, where)
    _check(given, where)
    try:
        labels = LabelTable(
            tuple(
                Label(row.value, row.name, row.abbreviation, _rgb(row.color, where), row.snomed_ct)
                for row in given.output.labels
            )
        )
    except InputError as error:
        raise ConfigurationError(f"[{where}.output]: {error}") from error
    output = TaskOutput(labels)
    return Task(
        given.name, given.description, given.modality, given.input, output, given.sha256, given.post, given.trained
    )


def write_task(task: Task, path: Path) -> None:
    """Write a `task.toml` that `read_task` reads back the same."""
    path.write_text(to_toml(task_table(task)), encoding="utf-8")


def task_table(task: Task) -> dict[str, Any]:
    """A task as the tables of TOML that `task_from_table` takes."""
    labels = [
        {
            "value": label.index,
            "name": label.name,
            "abbreviation": label.abbreviation,
            "color": "#{:02x}{:02x}{:02x}".format(*label.color),
            "snomed_ct": label.snomed_ct,
        }
        for label in task.output.labels
    ]
    return {
        "name": task.name,
        "description": task.description,
        "modality": task.modality,
        "sha256": task.sha256,
        "input": asdict(task.input),
        "output": {"labels": labels},
        "post": {"steps": task.post.steps},
        "trained": task.trained,
    }


def _check(given: _Tables, where: str) -> None:
    grid = given.input
    _expect(given.modality in MODALITIES, f"{where}.modality", given.modality, " or ".join(MODALITIES))
    _expect(bool(grid.channels), f"{where}.input.channels", grid.channels, "one channel or more")
    for channel in grid.channels:
        _check_channel(channel, f"{where}.input.channels")
    _expect(min(grid.spacing_mm) > 0, f"{where}.input.spacing_mm", grid.spacing_mm, "positive millimetres")
    _expect(grid.dimensions in (2, 2.5, 3), f"{where}.input.dimensions", grid.dimensions, "2, 2.5 or 3")
    _expect(grid.slice_axis in (0, 1, 2), f"{where}.input.slice_axis", grid.slice_axis, "0, 1 or 2")
    needs_context = grid.dimensions == 2.5
    _expect(grid.context > 0 if needs_context else grid.context == 0, f"{where}.input.context", grid.context,
            "at least 1 with 2.5 dimensions, else 0")  # fmt: skip
    _expect(grid.multiple_of > 0, f"{where}.input.multiple_of", grid.multiple_of, "a positive number")
    seen = 3 if grid.dimensions == 3 else 2
    if grid.tile is not None:
        fits = len(grid.tile) == seen and all(n > 0 and n % grid.multiple_of == 0 for n in grid.tile)
        _expect(fits, f"{where}.input.tile", grid.tile, f"{seen} multiples of {grid.multiple_of}")
    try:
        axis_order("RAS", grid.orientation)
    except InputError as error:
        raise ConfigurationError(f"[{where}.input]: {error}") from error
    _expect(bool(given.output.labels), f"{where}.output.labels", given.output.labels, "one label or more")
    # One label comes as one logit, several with one for the background.
    every = len(given.output.labels) + (len(given.output.labels) > 1)
    _expect(grid.guides in (0, every), f"{where}.input.guides", grid.guides, f"0, or {every}: one for every class")
    check_keys(given.post.steps, STEPS, f"{where}.post.steps")


def _check_channel(channel: Channel, where: str) -> None:
    _expect(channel.kind in CHANNEL_KINDS, f"{where}.kind", channel.kind, ", ".join(CHANNEL_KINDS))
    low, high = channel.low, channel.high
    if CHANNEL_KINDS[channel.kind]:
        _expect(low is not None and high is not None and low < high, where, (low, high), "low and high, low being less")
    if channel.kind in ("percentile", "root") and low is not None and high is not None:
        _expect(low >= 0 and high <= 100, where, (low, high), "percentiles from 0 to 100")


def _expect(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ConfigurationError(f"{name} is {value!r}; give {expected}")


def _rgb(color: str, where: str) -> tuple[int, int, int]:
    digits = color.removeprefix("#")
    _expect(len(digits) == 6 and color.startswith("#") and all(d in "0123456789abcdefABCDEF" for d in digits),
            f"{where}.output.labels.color", color, "six hexadecimal digits, such as #e69f00")  # fmt: skip
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
