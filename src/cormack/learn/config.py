"""What a training is told: four tables of a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cormack.core.errors import ConfigurationError
from cormack.core.tables import check_keys, from_table, read_toml
from cormack.nn.task import Task, task_from_table


@dataclass(frozen=True)
class AugmentationOptions:
    """Random changes of the samples, so that a network sees more than there is. 0 or an empty list leaves one out.

    Parameters
    ----------
    flips : tuple of str
        Voxel axes that may be flipped, of i, j and k; not the one across where left and right differ in name.
    rotation_deg, scaling, translation_mm : float
        Largest rotation about each axis, change of size as a share, and shift along each axis. Folders of images only.
    elastic_mm, elastic_grid_mm : float
        Standard deviation of a smooth random displacement, and the distance of its control points. Folders only.
    blur_mm : float
        Largest standard deviation of a Gaussian. Folders of images only.
    gamma, shift, noise : float
        Of the channels, which reach from -1 to 1: largest exponent (1 + gamma, or its inverse), largest shift, largest
        standard deviation of white noise.
    """

    flips: tuple[str, ...] = ()
    rotation_deg: float = 0.0
    scaling: float = 0.0
    translation_mm: float = 0.0
    elastic_mm: float = 0.0
    elastic_grid_mm: float = 40.0
    blur_mm: float = 0.0
    gamma: float = 0.1
    shift: float = 0.02
    noise: float = 0.02


#: Augmentation that a synthesis makes itself, before the image is made.
SPATIAL = ("rotation_deg", "scaling", "translation_mm", "elastic_mm", "blur_mm")


@dataclass(frozen=True)
class DataOptions:
    """Where samples come from.

    Parameters
    ----------
    kind : "folder", "synthesis" or "samples"
        Pairs of NIfTI files, images made from label maps, or slices made ready before (`learn.ready`).
    folder : str
        Holds `images/` and `labels/` with files of the same names; `participants.tsv` beside them, if there is one. Of
        samples: the `.npz` files themselves.
    anatomies : str
        For a synthesis: a folder of anatomies (`.npz`), or of BrainWeb models (`.mnc.gz`) that become anatomies first;
        "digital" makes them of the digital head, which needs no data.
    variants : int
        Anatomies that are made of each model, or of the digital head. For MR the first of each model is the model as it
        is, without a neck, and what is to be found is the brain with its fluid instead of the intracranial space.
    shape : tuple of int
        Voxels of a sample along (i, j, k); where it is not given, the tile of the task or the largest case.
    validation : int
        Synthesis: number of fixed samples that the network is measured on.
    validation_share : float
        Folder: share of the subjects that the network is measured on.
    validation_names : tuple of str
        Anatomies or samples (beginnings of their names) or subjects that are never trained on, in place of a random
        choice; of samples there is none without it.
    stratify : tuple of str
        Columns of `participants.tsv` whose values shall be as frequent in both parts: age, site, manufacturer.
    slices : int
        2-D networks: random slices that are taken of each sample.
    foreground : float
        Folder: share of the samples that are centred on a voxel of a random structure.
    pool, reuse, processes : int
        Samples that are at hand at any time, how often each is used before a new one takes its place (0: as often as it
        takes to never wait, which makes a training unrepeatable), and background processes that make them. Every slice
        that a 2-D network draws is a use: a `reuse` of several times `slices` keeps it from waiting.
    assume_mm : bool
        Folder: take NIfTI headers without a unit of length for millimetres.
    synthesis : table
        Fields of `CtSynthesis` or `MrSynthesis`.
    """

    kind: str = "folder"
    folder: str = ""
    anatomies: str = ""
    variants: int = 4
    shape: tuple[int, ...] = ()
    validation: int = 8
    validation_share: float = 0.2
    validation_names: tuple[str, ...] = ()
    stratify: tuple[str, ...] = ()
    slices: int = 8
    foreground: float = 0.5
    pool: int = 16
    reuse: int = 4
    processes: int = 1
    assume_mm: bool = False
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    synthesis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkOptions:
    """The architecture; see `learn.unet.UNet` and `learn.resnet.ResNetUNet`."""

    kind: str = "unet"
    channels: tuple[int, ...] = (8, 16, 32, 64, 96)
    convolutions: tuple[int, ...] = (1, 2, 2, 2, 2)
    residual: bool = False
    normalisation: str = "batch"
    upsampling: str = "nearest"


@dataclass(frozen=True)
class TrainingOptions:
    """How the weights are found.

    Parameters
    ----------
    loss : str
        Sum of "dice", "jaccard" and "cross-entropy" (binary or categorical), joined by +.
    class_weights : "none", "balanced" or "attenuated"
        Of categorical cross-entropy.
    optimizer : "adamw" or "adam"
    learning_rate : float
        The highest one; 0 looks for it by a range test first.
    weight_decay : float
    schedule : "one-cycle" or "constant"
    steps : int
        Batches in all.
    batch : int
    validate_every : int
        Steps from one validation to the next: an epoch, in the words of early stopping.
    early_stopping : bool
        Stop when the mean soft Dice has grown by less than 0.001 over five epochs.
    weight_average : float
        Decay of a running average of the weights, which is what is measured and exported; 0 for none.
    clip : float
        Largest norm of the gradient; 0 for none.
    seed : int
    precision : "bf16" or "f32"
    threads : int
        Processor threads; 0 for all processors.
    device : "auto", "cpu" or "cuda"
    checkpoint_minutes : float
    tensorboard : bool
    """

    loss: str = "dice+cross-entropy"
    class_weights: str = "none"
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    schedule: str = "one-cycle"
    steps: int = 1000
    batch: int = 1
    validate_every: int = 100
    early_stopping: bool = False
    weight_average: float = 0.99
    clip: float = 1.0
    seed: int = 0
    precision: str = "bf16"
    threads: int = 0
    device: str = "auto"
    checkpoint_minutes: float = 5.0
    tensorboard: bool = False


@dataclass(frozen=True)
class Config:
    """All of it.

    Parameters
    ----------
    root : Path
        Relative paths of the configuration start here.
    prepared : Path
        Where the data was made ready, once it is (`learn.sources.prepared`).
    """

    task: Task
    data: DataOptions
    network: NetworkOptions
    training: TrainingOptions
    root: Path
    prepared: Path = Path()

    def path(self, given: str) -> Path:
        """A path of the configuration; relative ones start from the configuration's folder."""
        return self.root / Path(given).expanduser()


CHOICES = {
    ("data", "kind"): ("folder", "synthesis", "samples"),
    ("network", "kind"): ("unet", "resnet34"),
    ("network", "normalisation"): ("none", "batch", "batch-renorm", "layer", "instance", "group"),
    ("network", "upsampling"): ("nearest", "transposed"),
    ("training", "class_weights"): ("none", "balanced", "attenuated"),
    ("training", "optimizer"): ("adamw", "adam"),
    ("training", "schedule"): ("one-cycle", "constant"),
    ("training", "precision"): ("bf16", "f32"),
    ("training", "device"): ("auto", "cpu", "cuda"),
}
_TABLES = ("task", "data", "network", "training")


def read_config(path: Path) -> Config:
    """Read a training's configuration.

    Raises
    ------
    ConfigurationError
        If the file is no TOML, a key is unknown (the nearest known one is named), or a value is not allowed.
    """
    given = read_toml(path)
    check_keys(given, _TABLES, path.name)
    config = Config(
        task=task_from_table(given.get("task", {}), "task"),
        data=from_table(DataOptions, given.get("data", {}), "data"),
        network=from_table(NetworkOptions, given.get("network", {}), "network"),
        training=from_table(TrainingOptions, given.get("training", {}), "training"),
        root=path.resolve().parent,
    )
    _check(config)
    return config


def _check(config: Config) -> None:
    for (table, name), allowed in CHOICES.items():
        value = getattr(getattr(config, table), name)
        if value not in allowed:
            raise ConfigurationError(f"{table}.{name} is {value!r}; give one of {', '.join(allowed)}")
    data, network, training = config.data, config.network, config.training
    if len(network.channels) != len(network.convolutions) or len(network.channels) < 2:
        raise ConfigurationError(
            "network.channels and network.convolutions need one number for each of two or more levels"
        )
    for name, value, low in (
        ("training.steps", training.steps, 1),
        ("training.batch", training.batch, 1),
        ("training.validate_every", training.validate_every, 1),
        ("data.pool", data.pool, 1),
        ("data.processes", data.processes, 1),
        ("data.variants", data.variants, 1),
        ("data.slices", data.slices, 1),
    ):
        if value < low:
            raise ConfigurationError(f"{name} is {value}; give {low} or more")
    if config.task.input.guides and data.kind != "samples":
        raise ConfigurationError(f"task.input.guides are read from samples: data.kind is {data.kind!r}, give 'samples'")
    needed = "anatomies" if data.kind == "synthesis" else "folder"
    if not getattr(data, needed):
        raise ConfigurationError(f"data.{needed} is missing: the folder that a {data.kind} data set is read from")
    if data.kind == "synthesis" and (set_ := [name for name in SPATIAL if getattr(data.augmentation, name)]):
        raise ConfigurationError(
            f"data.augmentation.{set_[0]} is for folders of images; a synthesis has ranges of its own: data.synthesis"
        )
