"""Write docs/reference/cli.md from the commands themselves; tests/test_docs.py holds the page to the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
INTRODUCTION = """# Command line

Every command takes `--help`. Results go to stdout, progress and warnings to stderr. [Exit
codes](errors.md#exit-codes) are the same for all. Completions: `eval "$(cormack completion bash)"` (or zsh, fish).

`cormack --version` prints the version. This page is made by `scripts/cli_reference.py`.
"""


def commands(command: click.Command, words: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Every command below `command` with its help text."""
    settings = {**command.context_settings, "terminal_width": 100}
    context = click.Context(command, parent=parent, info_name=words.split()[-1], **settings)
    yield words, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from commands(child, f"{words} {name}", context)


def page() -> str:
    """The page as Markdown."""
    from cormack.cli.main import cli

    blocks = [f"## {words}\n\n```text\n{text}\n```\n" for words, text in commands(cli, "cormack")]
    return "\n".join((INTRODUCTION, *blocks))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
