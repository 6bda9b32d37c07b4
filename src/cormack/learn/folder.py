"""Samples of a folder of images and labels: cut out at random places, turned, bent, blurred."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from cormack.core.errors import ConfigurationError
from cormack.core.volume import AnyArray, FloatArray
from cormack.files.outputs import OutputSet
from cormack.learn.cases import Case, Prepared, find_cases, prepare
from cormack.learn.config import Config
from cormack.learn.sample import Sample, random
from cormack.learn.slabs import cut
from cormack.learn.spatial import cropped, random_places, sampled, turns
from cormack.learn.splits import read_participants, split
from cormack.nn.channels import network_input
from cormack.pipeline.progress import Progress

CASES_FOLDER, SPLIT_FILE = "cases", "split.tsv"
_STREAM_TRAINING = 2
#: A sample is not made larger than this along an axis unless the configuration says so.
LARGEST = 160


class FolderSource:
    """Cut-outs of cases; the number of a sample decides everything about it. The cases have been prepared."""

    def __init__(self, config: Config) -> None:
        folder = config.prepared
        self._config, self._input = config, config.task.input
        cases = find_cases(config.path(config.data.folder))
        kept, held = split_cases(cases, config)
        self._training, self._held = ([Prepared(case, folder) for case in part] for part in (kept, held))
        fill = np.full((1, 1, 1), self._input.pad_value)
        self._outside = [float(v) for v in network_input(fill, config.task).reshape(-1)]
        self._flat = None if self._input.dimensions == 3 else self._input.slice_axis
        self._shape = sample_shape(config, [Prepared(case, folder) for case in cases])

    @property
    def validations(self) -> int:
        """One of each case that is held back."""
        return len(self._held)

    def training(self, number: int) -> Sequence[Sample]:
        """A random cut-out of a random case; for 2-D networks several slices of it."""
        rng = random(self._config.training.seed, _STREAM_TRAINING, number)
        case = self._training[int(rng.integers(len(self._training)))]
        count = 1 if self._flat is None else self._config.data.slices
        return [self._cut_out(case, self._centre(case, rng), rng) for _ in range(count)]

    def validation(self, number: int) -> Sequence[Sample]:
        """The middle of the structures of a case that is held back, as it is."""
        case = self._held[number]
        target = _open(case.path("target"))
        low, high = _box(target)
        centres = [(low + high) / 2]
        if self._flat is not None:
            along = np.linspace(low[self._flat], high[self._flat], self._config.data.slices)
            centres = [np.where(np.arange(3) == self._flat, np.rint(place), centres[0]) for place in along]
        return [self._cut_out(case, centre, None) for centre in centres]

    def _centre(self, case: Prepared, rng: np.random.Generator) -> FloatArray:
        """On a voxel of a random structure, or anywhere where the cut-out still lies within the case."""
        target = _open(case.path("target"))
        half = (np.asarray(self._shape) - 1) / 2
        last = np.asarray(target.shape) - 1
        if self._flat is not None:
            half[self._flat] = 0
        low, high = np.minimum(half, last / 2), np.maximum(last - half, last / 2)
        if rng.random() < self._config.data.foreground:
            classes = self._config.task.output.classes
            wanted = target > 127 if classes == 1 else target == rng.integers(1, classes)
            places = np.flatnonzero(wanted)
            if places.size:
                place = np.unravel_index(int(rng.choice(places)), target.shape)
                return np.clip(np.asarray(place, dtype=np.float64), low, high)
        return np.asarray(rng.uniform(low, high))

    def _cut_out(self, case: Prepared, centre: FloatArray, rng: np.random.Generator | None) -> Sample:
        options, several = self._config.data.augmentation, self._config.task.output.classes > 1
        image, target = _open(case.path("image")), _open(case.path("target"))
        if self._flat is not None:
            centre = np.where(np.arange(3) == self._flat, np.rint(centre), centre)
        if rng is not None and turns(options):
            places = random_places(self._shape, centre, self._input.spacing_mm, options, rng, flat=self._flat)
            channels = [
                sampled(part, places, out, flat=self._flat) for part, out in zip(image, self._outside, strict=True)
            ]
            found = sampled(target, places, 0.0, order=0 if several else 1, flat=self._flat)
        else:
            channels = [
                np.asarray(cropped(part, self._shape, centre, out, flat=self._flat), dtype=np.float32)
                for part, out in zip(image, self._outside, strict=True)
            ]
            found = cropped(target, self._shape, centre, 0.0, flat=self._flat)
        if rng is not None and options.blur_mm:
            sigma = rng.uniform(0, options.blur_mm) / np.asarray(self._input.spacing_mm)
            if self._flat is not None:
                sigma[self._flat] = 0
            channels = [ndimage.gaussian_filter(part, sigma) for part in channels]
        sample = Sample(np.stack(channels).astype(np.float16), np.rint(found).astype(np.uint8), case.case.name)
        return cut(sample, self._config.task, None if self._flat is None else [self._input.context])[0]


def prepare_folder(config: Config, out: Path, progress: Progress) -> Path:
    """Prepare the cases of a configuration in `out`, and write who is trained on; returns their folder.

    Raises
    ------
    InputError
        If a case cannot be used.
    ConfigurationError
        If a structure is in no case that is trained on, or the split is not possible.
    """
    cases = find_cases(config.path(config.data.folder))
    kept, held = split_cases(cases, config)
    folder = out / CASES_FOLDER
    prepare(cases, config.task, folder, progress, assume_mm=config.data.assume_mm)
    _check_classes([Prepared(case, folder) for case in kept], config)
    rows = [f"{case.name}\t{'validation' if case in held else 'training'}\n" for case in cases]
    with OutputSet(out) as outputs:
        outputs.write_text(SPLIT_FILE, "case\tpart\n" + "".join(rows))
    return folder


def split_cases(cases: Sequence[Case], config: Config) -> tuple[list[Case], list[Case]]:
    """The cases to train on, and those to measure on."""
    data = config.data
    participants = read_participants(config.path(data.folder) / "participants.tsv")
    _, held = split(
        [case.subject for case in cases],
        data.validation_share,
        config.training.seed,
        participants=participants,
        columns=data.stratify,
        named=data.validation_names,
    )
    return [case for case in cases if case.subject not in held], [case for case in cases if case.subject in held]


def class_counts(config: Config) -> list[float]:
    """Voxels of every class over the cases that are trained on, the background first (of two classes for one label)."""
    kept, _ = split_cases(find_cases(config.path(config.data.folder)), config)
    return [float(n) for n in _counts([Prepared(case, config.prepared) for case in kept], config)]


def sample_shape(config: Config, cases: Sequence[Prepared]) -> tuple[int, int, int]:
    """Voxels of a cut-out along (i, j, k): given, the task's tile, or what holds the largest case, up to LARGEST."""
    given, unit = config.data.shape or config.task.input.tile, config.task.input.multiple_of
    flat = None if config.task.input.dimensions == 3 else config.task.input.slice_axis
    seen = [axis for axis in range(3) if axis != flat]
    if given is None:
        largest = np.max([case.load("target").shape for case in cases], axis=0)
        given = tuple(int(min(LARGEST // unit * unit, -(-largest[axis] // unit) * unit)) for axis in seen)
    if len(given) != len(seen) or any(n % unit for n in given):
        raise ConfigurationError(f"data.shape is {list(given)}; give {len(seen)} multiples of {unit}")
    shape = [2 * config.task.input.context + 1] * 3
    for axis, n in zip(seen, given, strict=True):
        shape[axis] = n
    return shape[0], shape[1], shape[2]


def _check_classes(cases: Sequence[Prepared], config: Config) -> None:
    for count, label in zip(_counts(cases, config)[1:], config.task.output.labels, strict=True):
        if not count:
            raise ConfigurationError(
                f"the structure {label.name} (value {label.index}) has no voxel in the {len(cases)} label maps to "
                "train on; check the values in task.output.labels"
            )


def _counts(cases: Sequence[Prepared], config: Config) -> list[int]:
    classes = config.task.output.classes
    total = np.zeros(max(2, classes), dtype=np.int64)
    for case in cases:
        target = case.load("target")
        total += np.bincount(((target > 127) if classes == 1 else target).ravel().astype(np.intp), minlength=len(total))
    return [int(n) for n in total]


def _box(target: AnyArray) -> tuple[FloatArray, FloatArray]:
    """First and last voxel of the structures along each axis; the whole where there are none."""
    low, high = np.zeros(3), np.asarray(target.shape, dtype=np.float64) - 1
    for axis in range(3):
        where = np.flatnonzero((target > 0).any(axis=tuple(a for a in range(3) if a != axis)))
        if where.size:
            low[axis], high[axis] = where[0], where[-1]
    return low, high


@lru_cache(maxsize=512)
def _open(path: Path) -> AnyArray:
    return np.asarray(np.load(path, mmap_mode="r"))
