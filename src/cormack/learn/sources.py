"""The data that a configuration asks for: made ready once, and the source of samples over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cormack.learn.config import Config
from cormack.learn.sample import Source
from cormack.pipeline.progress import Progress


def prepared(config: Config, out: Path, progress: Progress) -> Config:
    """The configuration with its data made ready in `out`: anatomies, or images on the grid of the network.

    Raises
    ------
    InputError
        If there is no data, or a file of it cannot be used.
    ConfigurationError
        If the data lacks what the configuration says.
    """
    if config.data.kind == "synthesis":
        from cormack.learn.synthetic import make_anatomies as make
    elif config.data.kind == "samples":
        from cormack.learn.ready import ready_folder as make
    else:
        from cormack.learn.folder import prepare_folder as make
    return replace(config, prepared=make(config, out, progress))


def make_source(config: Config) -> Source:
    """The source of samples of a configuration that has been prepared."""
    if config.data.kind == "synthesis":
        from cormack.learn.synthetic import SyntheticSource

        return SyntheticSource(config)
    if config.data.kind == "samples":
        from cormack.learn.ready import ReadySource

        return ReadySource(config)
    from cormack.learn.folder import FolderSource

    return FolderSource(config)


def count_classes(config: Config) -> list[float]:
    """Voxels of every class in the data of a prepared configuration, the background first."""
    if config.data.kind == "synthesis":
        from cormack.learn.synthetic import class_counts
    elif config.data.kind == "samples":
        from cormack.learn.ready import class_counts
    else:
        from cormack.learn.folder import class_counts
    return class_counts(config)
