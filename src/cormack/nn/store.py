"""Where networks are kept: a folder each, with the graph, its task and its card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cormack.core.errors import WeightsError
from cormack.nn.engine import DEFAULT_ENGINE, Session, open_session
from cormack.nn.task import Task, read_task

MODEL_FILE, TASK_FILE = "model.onnx", "task.toml"
#: The folder of the networks that come with the package.
PACKAGED = Path(__file__).parent / "networks"
#: A packaged network is smaller than this (MB).
LARGEST_MB = 15.0


@dataclass(frozen=True, eq=False)
class Network:
    """A network ready to run."""

    task: Task
    session: Session


def networks() -> tuple[str, ...]:
    """Names of the networks that come with the package."""
    return tuple(sorted(path.parent.name for path in PACKAGED.glob(f"*/{TASK_FILE}")))


def load_network(name_or_folder: str | Path, *, engine: str = DEFAULT_ENGINE, threads: int | None = None) -> Network:
    """Read a network and make it ready to run; one that was loaded before is at hand already.

    Parameters
    ----------
    name_or_folder : str or Path
        A name of `networks()`, or a folder with `model.onnx` and `task.toml`.
    engine : str
        A key of `nn.engine.ENGINES`.
    threads : int, optional

    Raises
    ------
    WeightsError
        If there is no such network, a file of it is missing, or the graph is not the one that its task was written for.
    ConfigurationError
        If the task has an unknown key or a value that is not allowed.
    """
    folder = network_folder(name_or_folder)
    state = tuple((folder / name).stat().st_mtime_ns for name in (MODEL_FILE, TASK_FILE))
    return _load(folder, state, engine, threads)


def network_folder(name_or_folder: str | Path) -> Path:
    """The folder of a network.

    Raises
    ------
    WeightsError
        If there is no such network, or a file of it is missing.
    """
    packaged = isinstance(name_or_folder, str) and name_or_folder in networks()
    folder = PACKAGED / name_or_folder if packaged else Path(name_or_folder)
    if not folder.is_dir():
        known = ", ".join(networks()) or "none"
        raise WeightsError(f"no network {str(name_or_folder)!r}: give the folder of one, or a packaged one ({known})")
    for name in (MODEL_FILE, TASK_FILE):
        if not (folder / name).is_file():
            raise WeightsError(
                f"the network in {name_or_folder} lacks {name}: a whole folder of `cormack export` is needed"
            )
    return folder.resolve()


@lru_cache(maxsize=4)
def _load(folder: Path, _state: tuple[int, ...], engine: str, threads: int | None) -> Network:
    task = read_task(folder / TASK_FILE)
    path = folder / MODEL_FILE
    if folder.parent == PACKAGED.resolve() and path.stat().st_size > LARGEST_MB * 1e6:
        raise WeightsError(f"the packaged network {folder.name!r} is larger than {LARGEST_MB:.0f} MB")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != task.sha256:
        raise WeightsError(
            f"{MODEL_FILE} of the network {folder.name!r} has the SHA-256 {found[:12]}…, {TASK_FILE} says "
            f"{task.sha256[:12] or 'none'}…: the weights are damaged or not those of this task; install or export again"
        )
    session = open_session(path, engine=engine, threads=threads)
    if session.channels != task.image_channels:
        raise WeightsError(
            f"the graph of the network {folder.name!r} takes {session.channels} channels, its task makes "
            f"{task.image_channels}: export it again"
        )
    return Network(task, session)
