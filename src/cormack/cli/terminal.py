"""Progress and messages: bars on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Plain:
    """One line per step on stderr; silent when quiet."""

    def __init__(self, *, quiet: bool, verbose: int) -> None:
        self.quiet, self.verbose = quiet, verbose

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Nothing to put away."""

    def step(self, name: str) -> None:
        """Say which step begins."""
        if not self.quiet:
            click.echo(f"{name} …", err=True)

    def advance(self, done: int, total: int) -> None:
        """Count, for those who asked for more words."""
        if self.verbose > 1:
            click.echo(f"  {done} of {total}", err=True)

    def note(self, text: str) -> None:
        """Say a line."""
        if not self.quiet:
            click.echo(text, err=True)


class Bars(Plain):
    """A live bar for the step that runs, with its seconds; finished steps stay as lines when verbose."""

    def __init__(self, *, quiet: bool, verbose: int) -> None:
        super().__init__(quiet=quiet, verbose=verbose)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bars: RichProgress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=verbose == 0,
        )
        self._task: int | None = None

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._finish()
        self._bars.stop()

    def step(self, name: str) -> None:
        """Finish the bar of the last step and begin one."""
        self._finish()
        self._task = self._bars.add_task(name, total=None)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total)  # type: ignore[arg-type]

    def note(self, text: str) -> None:
        """Say a line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=1, total=1)  # type: ignore[arg-type]
            if self.verbose == 0:
                self._bars.remove_task(self._task)  # type: ignore[arg-type]
            self._task = None


def listener(*, quiet: bool, verbose: int) -> Plain:
    """The progress that fits where stderr goes."""
    if not quiet and sys.stderr.isatty():
        return Bars(quiet=quiet, verbose=verbose)
    return Plain(quiet=quiet, verbose=verbose)


def say(text: str, *, quiet: bool = False) -> None:
    """A line of the result on stdout."""
    if not quiet:
        click.echo(text)


def warn(text: str) -> None:
    """A warning on stderr; warnings are shown even when quiet is not."""
    click.echo(f"warning: {text}", err=True)
