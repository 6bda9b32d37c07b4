"""`cormack compare`, `consensus` and `labels import`: tools for label maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, load_from, talk_options
from cormack.cli.terminal import listener, say, warn


class Slices(click.ParamType[Any]):
    """`drawn`, or numbers and ranges such as 12,20-24."""

    name = "drawn|NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word, or the slice numbers."""
        if value == "drawn" or isinstance(value, tuple):
            return value
        try:
            spans = [[int(end) for end in part.split("-")] for part in value.split(",")]
            return tuple(sorted({k for first, *last in spans for k in range(first, (last or [first])[0] + 1)}))
        except ValueError:
            self.fail(f"{value!r} is neither drawn nor numbers such as 12,20-24", param, ctx)


names_option = click.option(
    "--names",
    type=IN_PATH,
    metavar="FILE.tsv",
    help="Names of the structures (columns index, name); else the .tsv beside a label map is read if there is one.",
)
tolerance_option = click.option(
    "--tolerance",
    "tolerance_mm",
    type=click.FloatRange(0, 50),
    default=1.0,
    show_default=True,
    help="Of surface Dice (mm).",
)
surfaces_option = click.option(
    "--surfaces/--no-surfaces", default=True, show_default=True, help="Measure surface distances."
)


@click.command(name="compare")
@click.argument("reference", metavar="REFERENCE", type=IN_PATH)
@click.argument("predictions", metavar="PREDICTION...", type=IN_PATH, nargs=-1, required=True)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@names_option
@tolerance_option
@click.option(
    "--slices",
    type=Slices(),
    help="Compare these slices only: drawn, those on which the reference holds anything; or numbers, 12,20-24.",
)
@click.option("--undecided", type=int, metavar="NUMBER", help="Voxels of the reference with this number do not count.")
@surfaces_option
@click.option(
    "--test",
    type=click.Choice(["wilcoxon", "t"]),
    default="wilcoxon",
    show_default=True,
    help="Paired test of differences between methods.",
)
@click.option("--plot", type=click.Choice(["box", "violin"]), default="box", show_default=True, help="Kind of plots.")
@assume_mm_option
@talk_options
def compare_command(
    reference: Path, predictions: tuple[Path, ...], out: Path, quiet: bool, verbose: int, **values: Any
) -> None:
    """Compare label maps with a reference: overlap, surface distances, volumes, statistics.

    REFERENCE and PREDICTION are NIfTI files, or folders with one file of the same name per subject. OUT_DIR gets
    agreement.tsv (one row per subject, method and structure), agreement.json (definitions, summaries, tests) and
    report.html (plots and tables).
    """
    from cormack.pipeline.compare import compare_files
    from cormack.pipeline.comparison import CompareOptions

    with listener(quiet=quiet, verbose=verbose) as progress:
        comparison = compare_files(reference, predictions, out, CompareOptions(**values), progress=progress)
    for finding in comparison.findings:
        warn(finding.message)
    for line in comparison.told():
        say(line, quiet=quiet)


@click.command(name="consensus")
@click.argument("observers", metavar="OBSERVER...", type=IN_PATH, nargs=-1, required=True)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--method",
    type=click.Choice(["majority", "staple"]),
    default="majority",
    show_default=True,
    help="Count votes, or estimate how good each observer is (STAPLE).",
)
@click.option(
    "--undecided", type=int, metavar="NUMBER", help="Give voxels of which no label has more than half this number."
)
@click.option(
    "--slices", type=click.Choice(["drawn"]), help="Fuse only the slices on which every observer drew something."
)
@names_option
@tolerance_option
@surfaces_option
@assume_mm_option
@talk_options
def consensus_command(observers: tuple[Path, ...], out: Path, quiet: bool, verbose: int, **values: Any) -> None:
    """Make one label map of several observers', and tell how far they agree.

    Beside OUT.nii.gz come OUT.json, every pair of observers in OUT_observers.tsv, and tables and plots in
    OUT_observers.html.
    """
    from cormack.pipeline.consensus import consensus_files
    from cormack.pipeline.consensus_outputs import ConsensusOptions

    with listener(quiet=quiet, verbose=verbose) as progress:
        made = consensus_files(observers, out, ConsensusOptions(**values), progress=progress)
    marked = f", {made.undecided} undecided" if made.options.undecided is not None else ""
    say(f"wrote {out}: {made.observers} observers, {made.disputed} voxels disputed{marked}", quiet=quiet)


@click.group(name="labels")
def labels_group() -> None:
    """Label maps of other tools."""


@labels_group.command(name="import")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--reference",
    metavar="IMAGE",
    type=IN_PATH,
    required=True,
    help="The image that was labelled, NIfTI or DICOM: its grid is taken (of DICOM the rectified one).",
)
@names_option
@click.option("--nearest", is_flag=True, help="Take the nearest label, for masks on single slices.")
@click.option("--native", is_flag=True, help="Leave contours or frames on the slices of a DICOM series as acquired.")
@click.option("--series", metavar="NUMBER|UID", help="Take this DICOM series of IMAGE instead of the best one.")
@assume_mm_option
@talk_options
def import_command(source: Path, out: Path, reference: Path, quiet: bool, verbose: int, **values: Any) -> None:
    """Bring labels of another tool onto the grid of an image.

    IN is NRRD (3D Slicer's .seg.nrrd, too), one DICOM file with an RT Structure Set or a segmentation (SEG), or NIfTI.
    Beside OUT.nii.gz come OUT.tsv (names and colours) and OUT.json.
    """
    from cormack.pipeline.import_labels import import_labels

    options = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        made = import_labels(source, out, reference, options, **values, progress=progress)
    for finding in made.findings:
        warn(finding.message)
    say(f"wrote {out}: {len(made.labels.table)} named structures from {made.source}", quiet=quiet)
