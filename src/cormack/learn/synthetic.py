"""Samples from label maps: anatomies that are made once, images that are made anew for every sample."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cormack.core.errors import ConfigurationError, InputError
from cormack.core.labels import LabelMap
from cormack.core.tables import from_table
from cormack.files.minc import read_brainweb
from cormack.learn.config import Config
from cormack.learn.sample import WHOLE, Sample, random
from cormack.learn.slabs import cut, random_positions
from cormack.nn.channels import network_input
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy, save_anatomy
from cormack.pipeline.progress import Progress

_MODELS = (".mnc", ".mnc.gz")
_STREAM_TRAINING, _STREAM_VALIDATION, _STREAM_ANATOMY = 2, 3, 4
#: Voxels along (i, j, k) where neither the configuration nor the task says so.
DEFAULT_SHAPE = (112, 128, 112)


class SyntheticSource:
    """Images of random anatomies; the number of a sample decides everything about it."""

    def __init__(self, config: Config) -> None:
        self._config, self._task, self._seed = config, config.task, config.training.seed
        self._options, self._synthesize = _synthesis(config)
        self._shape = config.data.shape or config.task.input.tile or DEFAULT_SHAPE
        paths = anatomy_paths(config)
        held = config.data.validation_names or (_subject(paths[-1]),)
        self._validation = [p for p in paths if p.name.startswith(held)]
        # With one subject alone, new images of it are all there is to be measured on.
        self._training = [p for p in paths if p not in self._validation] or paths
        if not self._validation:
            raise ConfigurationError(f"data.validation_names {list(held)}: no anatomy has a name that begins so")

    @property
    def validations(self) -> int:
        """How many fixed samples there are."""
        return self._config.data.validation

    def training(self, number: int) -> Sequence[Sample]:
        """A new image of a random anatomy."""
        rng = random(self._seed, _STREAM_TRAINING, number)
        return self._made(self._training[int(rng.integers(len(self._training)))], rng)

    def validation(self, number: int) -> Sequence[Sample]:
        """An image of an anatomy that is never trained on."""
        rng = random(self._seed, _STREAM_VALIDATION, number)
        return self._made(self._validation[number % len(self._validation)], rng)

    def _made(self, path: Path, rng: np.random.Generator) -> Sequence[Sample]:
        made = self._synthesize(
            _load(path), rng, self._options, shape=self._shape, spacing_mm=self._task.input.spacing_mm
        )
        image = network_input(made.volume.data, self._task)
        target = made.target.data
        if not isinstance(made.target, LabelMap):
            target = np.rint(np.clip(target, 0, 1) * WHOLE)
        sample = Sample(image.astype(np.float16), target.astype(np.uint8), path.stem)
        return cut(sample, self._task, random_positions(sample, self._task, self._config.data.slices, rng))


def anatomy_paths(config: Config) -> list[Path]:
    """The anatomies of a configuration, made already.

    Raises
    ------
    InputError
        If there are none.
    """
    folder = config.path(config.data.anatomies)
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise InputError(f"{folder}: no anatomies (.npz) there")
    return paths


def make_anatomies(config: Config, out: Path, progress: Progress) -> Path:
    """The folder of anatomies: the given one, or anatomies of the models in it, made once and kept in `out`.

    Raises
    ------
    InputError
        If the folder holds neither anatomies nor models.
    """
    given = config.path(config.data.anatomies)
    if any(given.glob("*.npz")):
        return given
    models = sorted(p for p in given.glob("*") if p.name.endswith(_MODELS))
    if not models:
        raise InputError(f"{given}: neither anatomies (.npz) nor BrainWeb models ({', '.join(_MODELS)}) there")
    out.mkdir(parents=True, exist_ok=True)
    progress.step("Making anatomies")
    for number, model in enumerate(models):
        wanted = [out / f"{model.name.split('_')[0].split('.')[0]}-{n + 1}.npz" for n in range(config.data.variants)]
        missing = [n for n, path in enumerate(wanted) if not path.exists()]
        labels = read_brainweb(model) if missing else None
        for n in missing:
            _make(labels, wanted[n], random(config.training.seed, _STREAM_ANATOMY, number * 1000 + n))
            progress.advance(number * len(wanted) + n + 1, len(models) * len(wanted))
    return out


def _make(labels: LabelMap | None, path: Path, rng: np.random.Generator) -> None:
    from cormack.physics.synthesis.head import head_anatomy

    if labels is None:
        return
    part = path.with_name(f".{path.stem}.part.npz")
    save_anatomy(head_anatomy(labels, rng, name=path.stem), part)
    part.replace(path)


def _subject(path: Path) -> str:
    """What the variants of one model have in common."""
    return path.stem.rpartition("-")[0] or path.stem


@lru_cache(maxsize=8)
def _load(path: Path) -> Anatomy:
    return load_anatomy(path)


def _synthesis(config: Config) -> tuple[Any, Any]:
    """The ranges, and the function that makes an image."""
    if config.task.modality == "CT":
        from cormack.physics.synthesis.ct import CtSynthesis, synthesize_ct

        return from_table(CtSynthesis, config.data.synthesis, "data.synthesis"), synthesize_ct
    raise ConfigurationError("images of MR cannot be synthesised yet; give task.modality 'CT'")
