"""Work shared out among processes that are fed through pipes, and outlive what one of them dies of.

Plain processes instead of `multiprocessing`: a caller's script needs no guard for its main module, and what a dying
process would print, which might quote a header, goes nowhere.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import IO, Any, Protocol

from cormack.core.errors import CormackError


@dataclass(frozen=True)
class Died:
    """The process that had this task ended without a result."""

    task: Any


class Crew(Protocol):
    """Who does the tasks: processes, or this one."""

    def __enter__(self) -> Crew:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End."""

    def results(self, tasks: Iterable[Any]) -> Iterator[Any]:
        """Results in the order in which they are ready."""


class Doer(Protocol):
    """What a process does with its tasks."""

    def do(self, task: Any) -> Any:
        """One task."""

    def close(self) -> None:
        """Give back what is held open."""


class Inline:
    """Does the tasks in this process, one after the other."""

    def __init__(self, doer: Doer) -> None:
        self._doer = doer

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._doer.close()

    def results(self, tasks: Iterable[Any]) -> Iterator[Any]:
        """Results, each made when it is asked for."""
        return (self._doer.do(task) for task in tasks)


class WorkerPool:
    """Processes of one module, started when the first task comes, ended with the context.

    Parameters
    ----------
    module : str
        Run as `python -m module`; it reads pickled objects from its input, first `setup` and then tasks, and answers
        each of them with one pickled object.
    setup : object
    count : int
        Number of processes.
    """

    def __init__(self, module: str, setup: object, count: int) -> None:
        self._module, self._setup = module, setup
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._closed = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._closed = True
        for process in self._processes:
            if process is not None:
                _end(process)

    def results(self, tasks: Iterable[Any]) -> Iterator[Any]:
        """Results in the order in which they are ready; `Died` for a task whose process ended.

        Raises
        ------
        CormackError
            If a process cannot be started.
        """
        waiting = iter(tasks)
        lock, ready = Lock(), SimpleQueue[Any]()
        threads = [
            Thread(target=self._serve, args=(slot, waiting, lock, ready), daemon=True)
            for slot in range(len(self._processes))
        ]
        for thread in threads:
            thread.start()
        left = len(threads)
        while left:
            result = ready.get()
            if result is _FINISHED:
                left -= 1
            elif isinstance(result, _Failed):
                raise result.error
            else:
                yield result

    def _serve(self, slot: int, waiting: Iterator[Any], lock: Lock, ready: SimpleQueue[Any]) -> None:
        """Feed one process until no task is left."""
        try:
            while not self._closed:
                with lock:
                    task = next(waiting, _FINISHED)
                if task is _FINISHED:
                    break
                ready.put(self._ask(slot, task))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the results
            ready.put(_Failed(error))
        ready.put(_FINISHED)

    def _ask(self, slot: int, task: Any) -> Any:
        process = self._processes[slot]
        try:
            if process is None:
                process = self._processes[slot] = self._start()
            _send(process.stdin, task)
            return pickle.load(_stream(process.stdout))
        except (OSError, EOFError, pickle.UnpicklingError):
            if process is not None and not self._closed:
                _end(process)
                self._processes[slot] = None
            return Died(task)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            # -P: the current folder must not be on the path, where anything may lie.
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            _send(process.stdin, self._setup)
            pickle.load(_stream(process.stdout))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            _end(process)
            raise CormackError("a working process could not start; is there enough memory?") from error
        return process


def serve(make: Callable[[Any], Doer], incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Be one of the processes: take the setup and then tasks from one pipe, and answer each into another, to its end.

    Parameters
    ----------
    make : callable
        Takes the setup, gives who does the tasks.
    incoming, outgoing : binary streams
    """
    doer = make(pickle.load(incoming))
    try:
        _send(outgoing, True)
        while True:
            try:
                task = pickle.load(incoming)
            except EOFError:
                return
            _send(outgoing, doer.do(task))
    finally:
        doer.close()


def serve_parent(make: Callable[[Any], Doer], *, niceness: int = 0) -> None:
    """Serve the process that started this one, through its standard streams."""
    # Whoever started this process decides what an interruption means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    # Libraries that print must not write between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(make, sys.stdin.buffer, answers)


@dataclass(frozen=True)
class _Failed:
    error: Exception


_FINISHED = object()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise EOFError
    return stream


def _send(stream: IO[bytes] | None, message: object) -> None:
    pipe = _stream(stream)
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()
