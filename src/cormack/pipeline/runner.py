"""Steps in order: each a function whose parameter names say what it needs; what no later step needs is let go."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cormack.core.errors import CormackError
from cormack.core.provenance import Provenance
from cormack.pipeline.progress import Progress


@dataclass(frozen=True)
class Step:
    """One step: `gives` names its result, `title` tells people what is going on, `function` does it."""

    gives: str
    title: str
    function: Callable[..., Any]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the values that the step takes."""
        return tuple(inspect.signature(self.function).parameters)


def check_steps(steps: Sequence[Step], given: Iterable[str]) -> None:
    """Refuse steps whose needs are not met by earlier ones.

    Raises
    ------
    CormackError
        Naming the step and what it lacks.
    """
    known = set(given)
    for step in steps:
        lacking = [name for name in step.needs if name not in known]
        if lacking:
            raise CormackError(f"step {step.gives!r} needs {', '.join(lacking)}, which no earlier step gives")
        known.add(step.gives)


def run_steps(
    steps: Sequence[Step],
    given: Mapping[str, Any],
    *,
    keep: Iterable[str],
    provenance: Provenance,
    progress: Progress,
) -> dict[str, Any]:
    """Run steps one after the other and return the values to `keep`.

    Parameters
    ----------
    steps : sequence of Step
    given : mapping
        Values known beforehand.
    keep : iterable of str
        Names of results to return; all others are released after their last use, so that memory holds what is needed.
    provenance : Provenance
        Gets the wall seconds of every step.
    progress : Progress
    """
    kept = set(keep)
    check_steps(steps, given)
    values = dict(given)
    for number, step in enumerate(steps):
        progress.step(step.title)
        with provenance.timed(step.gives):
            values[step.gives] = step.function(**{name: values[name] for name in step.needs})
        needed = kept.union(given, *(later.needs for later in steps[number + 1 :]))
        for name in set(values) - needed:
            del values[name]
    return {name: values[name] for name in kept}
