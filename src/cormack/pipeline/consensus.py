"""Several observers' label maps of one image made one, and how far the observers agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap, LabelTable
from cormack.files.label_tables import write_label_table
from cormack.files.nifti import write_labels
from cormack.files.outputs import OutputSet, check_writable
from cormack.files.sidecar import to_json
from cormack.files.tables import write_table
from cormack.imaging.staple import Staple, check_opinions, staple
from cormack.imaging.votes import check_undecided, disputed, majority
from cormack.measure.agreement import drawn_slices
from cormack.measure.observers import inter_observer, observer_pairs
from cormack.pipeline.consensus_outputs import (
    PAIR_COLUMNS,
    Consensus,
    ConsensusOptions,
    consensus_content,
    consensus_sidecar,
    pair_rows,
)
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.label_files import read_labels
from cormack.pipeline.progress import Progress, Silent
from cormack.report.agreement import render_agreement


def consensus_files(
    observers: Sequence[Path],
    out: Path,
    options: ConsensusOptions = ConsensusOptions(),  # noqa: B008  (frozen)
    *,
    progress: Progress | None = None,
) -> Consensus:
    """Fuse observers' label maps of one image, and write the consensus and their agreement.

    Beside `OUT.nii.gz` come its sidecar `OUT.json`, the names `OUT.tsv` if they are known, every pair of observers
    `OUT_observers.tsv`, and a page `OUT_observers.html`.

    Parameters
    ----------
    observers : sequence of Path
        At least two NIfTI label maps on one grid.
    out : Path
        `….nii.gz` or `….nii`.
    options : ConsensusOptions
    progress : Progress, optional

    Raises
    ------
    CormackError
        If inputs or output cannot be used.
    """
    listener = progress or Silent()
    for source in observers:
        check_target(source, out)
    check_writable(out.parent)
    listener.step("Reading label maps")
    opinions = [read_labels(path, options.names, assume_mm=options.assume_mm) for path in observers]
    check_opinions(opinions)
    opinions = _with_one_table(opinions)
    listener.step("Comparing observers")
    slices = _common_slices(opinions) if options.slices == "drawn" else None
    cut = opinions if slices is None else [replace(o, data=o.data[:, :, slices]) for o in opinions]
    pairs = observer_pairs(opinions, tolerance_mm=options.tolerance_mm, slices=slices, surfaces=options.surfaces)
    listener.step("Fusing")
    fused, found = _fused(cut, options)
    consensus = Consensus(
        labels=fused if slices is None else _on_slices(fused, opinions[0], slices),
        options=options,
        observers=len(opinions),
        slices=slices,
        disputed=int(np.count_nonzero(disputed(cut))),
        undecided=0 if options.undecided is None else int(np.count_nonzero(fused.data == options.undecided)),
        agreement=inter_observer(cut, pairs),
        pairs=pairs,
        staple=found,
    )
    listener.step("Writing files")
    _write(out, consensus)
    return consensus


def _with_one_table(opinions: Sequence[LabelMap]) -> list[LabelMap]:
    """All maps with the names of the first that has any."""
    table = next((opinion.table for opinion in opinions if len(opinion.table)), LabelTable(()))
    return [replace(opinion, table=table) for opinion in opinions]


def _common_slices(opinions: Sequence[LabelMap]) -> list[int]:
    """The k on which every observer drew something."""
    common = sorted(set.intersection(*(set(drawn_slices(opinion)) for opinion in opinions)))
    if not common:
        raise InputError("there is no slice on which all observers drew something; leave out --slices drawn")
    return common


def _fused(opinions: Sequence[LabelMap], options: ConsensusOptions) -> tuple[LabelMap, Staple | None]:
    if options.method == "majority":
        return majority(opinions, undecided=options.undecided), None
    if options.undecided is not None:
        check_undecided(opinions, options.undecided)
    found = staple(opinions)
    if options.undecided is None:
        return found.labels, found
    dtype = np.promote_types(found.labels.data.dtype, np.min_scalar_type(options.undecided))
    data = np.where(found.probability > 0.5, found.labels.data, options.undecided).astype(dtype)
    return replace(found.labels, data=data), found


def _on_slices(fused: LabelMap, whole: LabelMap, slices: Sequence[int]) -> LabelMap:
    """The fused slices back in their places; nothing elsewhere."""
    data = np.zeros(whole.data.shape, dtype=fused.data.dtype)
    data[:, :, slices] = fused.data
    return replace(fused, data=data)


def _write(out: Path, consensus: Consensus) -> None:
    name = stem(out)
    with OutputSet(out.parent) as outputs:
        write_labels(outputs.part(out.name), consensus.labels)
        outputs.write_text(f"{name}.json", to_json(consensus_sidecar(consensus)))
        if len(consensus.labels.table):
            write_label_table(outputs.part(f"{name}.tsv"), consensus.labels.table)
        write_table(outputs.part(f"{name}_observers.tsv"), PAIR_COLUMNS, pair_rows(consensus), suffix=".tsv")
        outputs.write_text(f"{name}_observers.html", render_agreement(consensus_content(consensus)))
