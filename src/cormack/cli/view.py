"""`cormack view`: scans, labels and results in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from cormack.cli.options import IN_PATH
from cormack.cli.terminal import say


@click.command(name="view")
@click.argument("paths", metavar="[IN]...", type=IN_PATH, nargs=-1)
@click.option("--labels", metavar="FILE.nii.gz", type=IN_PATH, multiple=True, help="Labels to draw on every scan.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the page; any that is free if left out."
)
@click.option("--no-browser", is_flag=True, help="Print the address and open no browser.")
def view_command(paths: tuple[Path, ...], labels: tuple[Path, ...], port: int, no_browser: bool) -> None:
    """Look at scans in the browser: three planes and 3-D, labels, measurements, two scans side by side.

    IN is a NIfTI file, a folder with DICOM files or an archive of them, a folder that a command of Cormack wrote, or
    the current folder if left out. Two of them are shown side by side. Files whose names say mask, dseg or label are
    drawn on the scans. The page is served to this machine alone; Ctrl-C ends it.
    """
    from cormack.viewer.serve import serve
    from cormack.viewer.sources import find_sources

    sources = find_sources(paths or (Path(),), labels)

    def ready(address: str) -> None:
        say(address)
        if not no_browser:
            click.launch(address)

    try:
        serve(sources, port=port, ready=ready)
    except KeyboardInterrupt:
        say("closed")
