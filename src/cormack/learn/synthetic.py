"""Samples from label maps: anatomies that are made once, images that are made anew for every sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ConfigurationError, InputError
from cormack.core.labels import LabelMap
from cormack.core.tables import from_table
from cormack.core.volume import Volume
from cormack.files.minc import read_brainweb
from cormack.learn.config import Config
from cormack.learn.sample import WHOLE, Sample, random
from cormack.learn.slabs import cut, random_positions
from cormack.nn.channels import network_input
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy, save_anatomy
from cormack.physics.synthesis.model import with_brain
from cormack.pipeline.progress import Progress

ANATOMIES_FOLDER = "anatomies"
_MODELS = (".mnc", ".mnc.gz")
_STREAM_TRAINING, _STREAM_VALIDATION, _STREAM_ANATOMY = 2, 3, 4
#: Field of view along (i, j, k) that holds a head.
HEAD_MM = (224.0, 256.0, 224.0)
#: Name of the anatomies that need no data.
DIGITAL = "digital"


class SyntheticSource:
    """Images of random anatomies; the number of a sample decides everything about it."""

    def __init__(self, config: Config) -> None:
        self._config, self._task, self._seed = config, config.task, config.training.seed
        self._options, self._synthesize = _synthesis(config)
        self._shape = _shape(config)
        paths = _anatomies(config.prepared)
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
        sample = Sample(image.astype(np.float16), self._target(made.target), path.stem)
        return cut(sample, self._task, random_positions(sample, self._task, self._config.data.slices, rng))

    def _target(self, target: Volume | LabelMap) -> npt.NDArray[np.uint8]:
        """Shares of one structure, or the classes of several, as in `Sample`."""
        if isinstance(target, Volume):
            return np.asarray(np.rint(np.clip(target.data, 0, 1) * WHOLE), dtype=np.uint8)
        labels = [label.index for label in self._task.output.labels]
        if len(labels) == 1:
            return np.asarray((target.data == labels[0]) * WHOLE, dtype=np.uint8)
        classes = np.zeros(256, dtype=np.uint8)
        classes[labels] = np.arange(1, len(labels) + 1)
        return np.asarray(classes[target.data])


def _shape(config: Config) -> tuple[int, int, int]:
    """Voxels of an image: given, or as many as a head needs."""
    given, wanted = config.data.shape, config.task.input
    if given and len(given) == 3:
        return given[0], given[1], given[2]
    if given:
        raise ConfigurationError(f"data.shape is {list(given)}; a synthesis makes volumes: give three numbers")
    steps = np.asarray(wanted.spacing_mm) * wanted.multiple_of
    i, j, k = (int(n) * wanted.multiple_of for n in np.ceil(np.asarray(HEAD_MM) / steps - 0.01))
    return i, j, k


def class_counts(config: Config) -> list[float]:
    """Voxels of every class in the anatomies, the background first."""
    counts = np.sum([np.bincount(_load(p).targets.ravel(), minlength=256) for p in _anatomies(config.prepared)], axis=0)
    known = [float(counts[label.index]) for label in config.task.output.labels]
    return [float(counts.sum()) - sum(known), *known]


def make_anatomies(config: Config, out: Path, progress: Progress) -> Path:
    """The folder of anatomies: the given one, or that of anatomies made once and kept in `out`.

    Raises
    ------
    InputError
        If the given folder holds neither anatomies nor models.
    """
    given, variants = config.path(config.data.anatomies), config.data.variants
    if any(given.glob("*.npz")):
        return given
    makers: dict[str, Callable[[np.random.Generator], Anatomy]] = {}
    if config.data.anatomies == DIGITAL:
        makers = {f"{DIGITAL}{n + 1}-1": partial(_random_digital, n + 1) for n in range(variants)}
    for model in sorted(p for p in given.glob("*") if p.name.endswith(_MODELS)):
        for n in range(variants):
            name = f"{model.name.partition('.')[0].partition('_')[0]}-{n + 1}"
            makers[name] = partial(_for_ct, model, name)
            if config.task.modality == "MR":
                # Every other one is the model's own head.
                makers[name] = partial(_for_mr, model, name, n % 2 == 1)
    if not makers:
        raise InputError(
            f"{given}: neither anatomies (.npz) nor BrainWeb models ({', '.join(_MODELS)}) there; anatomies = "
            f"'{DIGITAL}' needs none"
        )
    folder = out / ANATOMIES_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    progress.step("Making anatomies")
    for number, (name, make) in enumerate(makers.items()):
        path, part = folder / f"{name}.npz", folder / f".{name}.part.npz"
        if not path.exists():
            anatomy = make(random(config.training.seed, _STREAM_ANATOMY, number))
            save_anatomy(with_brain(anatomy) if config.task.modality == "MR" else anatomy, part)
            part.replace(path)
        progress.advance(number + 1, len(makers))
    return folder


def _for_ct(model: Path, name: str, rng: np.random.Generator) -> Anatomy:
    from cormack.physics.synthesis.head import head_anatomy

    return head_anatomy(_read_model(model), rng, name=name)


def _for_mr(model: Path, name: str, painted: bool, rng: np.random.Generator) -> Anatomy:
    from cormack.physics.synthesis.model import model_anatomy

    return model_anatomy(_read_model(model), rng, name=name, painted=painted)


@lru_cache(maxsize=1)
def _read_model(model: Path) -> LabelMap:
    return read_brainweb(model)


def _random_digital(number: int, rng: np.random.Generator) -> Anatomy:
    from cormack.physics.synthesis.digital import digital_anatomy

    return digital_anatomy(rng, name=f"{DIGITAL}{number}-1")


def _anatomies(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.npz") if not p.name.startswith("."))


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
    from cormack.physics.synthesis.mr import MrSynthesis, synthesize_mr

    return from_table(MrSynthesis, config.data.synthesis, "data.synthesis"), synthesize_mr
