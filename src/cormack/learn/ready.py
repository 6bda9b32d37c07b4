"""Samples that were made ready before the training: slices for a network that corrects what another one says of them.

A folder of `.npz` files, one per scan: `images`, uint8, shape (slice, channel, i, j), the channels of the network's
input with -1…1 as 0…255; `targets`, uint8, shape (slice, i, j), as in `Sample`: the class of every voxel, 0 being the
background, or the share of a single structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ConfigurationError, InputError
from cormack.learn.config import Config
from cormack.learn.sample import WHOLE, Sample, random
from cormack.pipeline.progress import Progress

_STREAM_TRAINING = 2
_Bytes = npt.NDArray[np.uint8]


def save_ready(path: Path, images: npt.NDArray[np.float32], targets: _Bytes) -> None:
    """Write slices of one scan: images within -1…1, shape (slice, channel, i, j), and targets, shape (slice, i, j)."""
    stored = np.rint((np.clip(images, -1, 1) + 1) * (WHOLE / 2)).astype(np.uint8)
    part = path.with_name(f".{path.stem}.part.npz")
    np.savez_compressed(part, images=stored, targets=targets)
    part.replace(path)


class ReadySource:
    """Random cut-outs of slices; those of a scan come together."""

    def __init__(self, config: Config) -> None:
        self._config, given = config, config.task.input
        if config.task.input.dimensions == 3:
            raise ConfigurationError("data.kind 'samples' is for networks of slices")
        shape = config.data.shape or given.tile or ()
        if len(shape) != 2 or any(n % given.multiple_of for n in shape):
            raise ConfigurationError(f"data.shape is {list(shape)}; give 2 multiples of {given.multiple_of}")
        self._shape = shape
        held = config.data.validation_names
        paths = _scans(config.prepared)
        self._held = [path for path in paths if path.name.startswith(held)] if held else []
        self._training = [path for path in paths if path not in self._held]
        if not self._training:
            raise InputError(f"{config.prepared}: no scan (.npz) to train on")
        # What lies outside of a slice: nothing in the image, and the background for certain.
        self._outside = np.zeros((config.task.image_channels, 1, 1), dtype=np.uint8)
        if given.guides > 1:
            self._outside[-given.guides] = WHOLE

    @property
    def validations(self) -> int:
        """Scans that are held back."""
        return len(self._held)

    def training(self, number: int) -> Sequence[Sample]:
        """Cut-outs of random slices of a random scan."""
        rng = random(self._config.training.seed, _STREAM_TRAINING, number)
        path = self._training[int(rng.integers(len(self._training)))]
        scan = _read(path, self._config)
        count = len(scan["targets"])
        chosen = rng.choice(count, min(count, self._config.data.slices), replace=False)
        return [self._cut_out(path.stem, scan, int(n), rng.random(2)) for n in chosen]

    def validation(self, number: int) -> Sequence[Sample]:
        """The middle of slices of a scan that is held back, evenly spread."""
        path = self._held[number]
        scan = _read(path, self._config)
        count = len(scan["targets"])
        chosen = np.linspace(0, count - 1, min(count, self._config.data.slices)).round().astype(int)
        return [self._cut_out(path.stem, scan, int(n), np.array([0.5, 0.5])) for n in chosen]

    def _cut_out(self, name: str, scan: Mapping[str, _Bytes], n: int, where: npt.NDArray[np.float64]) -> Sample:
        stored, classes = scan["images"][n], scan["targets"][n]
        image = np.broadcast_to(self._outside, (len(stored), *self._shape)).copy()
        target = np.zeros(self._shape, dtype=np.uint8)
        source, place = [], []
        for size, wanted, share in zip(classes.shape, self._shape, where, strict=True):
            # Of a slice larger than the cut-out a random part; one that is smaller lies anywhere within it.
            first = round(float(share) * abs(size - wanted))
            length = min(size, wanted)
            source.append(slice(first, first + length) if size > wanted else slice(0, length))
            place.append(slice(0, length) if size > wanted else slice(first, first + length))
        image[:, *place], target[*place] = stored[:, *source], classes[*source]
        return Sample((image * np.float32(2 / WHOLE) - 1).astype(np.float16), target, name)


def ready_folder(config: Config, out: Path, progress: Progress) -> Path:
    """The folder of the samples.

    Raises
    ------
    InputError
        If it holds none.
    """
    folder = config.path(config.data.folder)
    if not _scans(folder):
        raise InputError(f"{folder}: no samples (.npz) there")
    return folder


def class_counts(config: Config) -> list[float]:
    """Voxels of every class over all scans, the background first."""
    classes = config.task.output.classes
    scans = (_read(path, config)["targets"] for path in _scans(config.prepared))
    counts = np.sum([np.bincount(scan.ravel(), minlength=WHOLE + 1) for scan in scans], axis=0)
    if classes == 1:
        structure = float(counts @ np.arange(WHOLE + 1)) / WHOLE
        return [float(counts.sum()) - structure, structure]
    return [float(n) for n in counts[:classes]]


def _scans(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npz") if not path.name.startswith("."))


def _read(path: Path, config: Config) -> dict[str, _Bytes]:
    """Both arrays of a scan.

    Raises
    ------
    InputError
        If they are not what the task takes.
    """
    try:
        with np.load(path) as stored:
            scan = {name: stored[name] for name in ("images", "targets")}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: no samples that can be read ({type(error).__name__})") from error
    images, targets = scan["images"], scan["targets"]
    channels = config.task.image_channels
    fits = images.ndim == 4 and images.shape[1] == channels and len(images) == len(targets)
    if not (fits and images.shape[2:] == targets.shape[1:] and images.dtype == targets.dtype == np.uint8):
        raise InputError(f"{path}: images of shape {images.shape} and targets of shape {targets.shape}; the task takes "
                         f"uint8 of shape (slice, {channels}, i, j) and (slice, i, j)")  # fmt: skip
    classes = config.task.output.classes
    if not len(targets) or (classes > 1 and targets.max() >= classes):
        raise InputError(f"{path}: no slice, or a class of {classes} or more")
    return scan
