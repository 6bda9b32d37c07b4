"""How a run tells what it is doing; the terminal's looks are the command line's business."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Listens to a run. `step` begins a step; `advance` counts within it; `note` is one line for people."""

    def step(self, name: str) -> None:
        """Begin the step `name` (plain words)."""

    def advance(self, done: int, total: int) -> None:
        """Report `done` of `total` items of the current step."""

    def note(self, text: str) -> None:
        """Say something that a person should read; never patient data."""


class Silent:
    """Progress that nobody listens to."""

    def step(self, name: str) -> None:
        """Ignore."""

    def advance(self, done: int, total: int) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
