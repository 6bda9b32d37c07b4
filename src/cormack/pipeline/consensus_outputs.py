"""What a consensus of observers is made of, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.provenance import generated_by, package_version, software_versions
from cormack.imaging.staple import Staple
from cormack.measure.agreement import TOLERANCE_MM
from cormack.measure.observers import InterObserver, ObserverPair
from cormack.pipeline.compare_page import digits
from cormack.pipeline.comparison import BY_NAME, agreement_cells, plain
from cormack.report.agreement import AgreementContent, Plot, Table
from cormack.report.distributions import distribution_svg
from cormack.report.tables import Row

PAIR_COLUMNS = ("first", "second", "index", "structure", *BY_NAME, "undefined")


@dataclass(frozen=True)
class ConsensusOptions:
    """How observers are fused.

    Parameters
    ----------
    method : "majority" or "staple"
        Count votes, or estimate how good each observer is (Warfield et al. 2004, doi 10.1109/TMI.2004.828354).
    undecided : int, optional
        Number of voxels for which no label has more than half of the votes, or of the probability.
    slices : "drawn", optional
        Fuse and compare only the slices on which every observer drew something; the others become background.
    names : Path, optional
        Table of the structures' names; else the `….tsv` beside the first map that has one.
    tolerance_mm : float
        Of surface Dice.
    surfaces : bool
        Measure surface distances between observers.
    assume_mm : bool
        Take headers without a unit of length for millimetres.
    """

    method: Literal["majority", "staple"] = "majority"
    undecided: int | None = None
    slices: Literal["drawn"] | None = None
    names: Path | None = None
    tolerance_mm: float = TOLERANCE_MM
    surfaces: bool = True
    assume_mm: bool = False


@dataclass(frozen=True, eq=False)
class Consensus:
    """A consensus, and how far the observers agree.

    Attributes
    ----------
    labels : LabelMap
    options : ConsensusOptions
    observers : int
    slices : sequence of int or None
        Those that were fused; None: all.
    disputed, undecided : int
        Voxels on which not all observers agree, and those that were marked.
    agreement : tuple of InterObserver
        All observers, by structure.
    pairs : tuple of ObserverPair
    staple : Staple or None
    """

    labels: LabelMap
    options: ConsensusOptions
    observers: int
    slices: Sequence[int] | None
    disputed: int
    undecided: int
    agreement: tuple[InterObserver, ...]
    pairs: tuple[ObserverPair, ...]
    staple: Staple | None


def pair_rows(consensus: Consensus) -> Iterator[dict[str, str]]:
    """Every pair of observers and every structure: all metrics, the first observer standing as the reference."""
    for pair in consensus.pairs:
        for agreement in pair.agreements:
            yield {"first": str(pair.first), "second": str(pair.second), **agreement_cells(agreement)}


def consensus_sidecar(consensus: Consensus) -> dict[str, object]:
    """The sidecar of the consensus."""
    options = consensus.options
    return {
        "GeneratedBy": generated_by(),
        "ResearchUseOnly": True,
        "Software": software_versions(),
        "Description": consensus.labels.description,
        "Observers": consensus.observers,
        "Method": options.method,
        "Slices": "all" if consensus.slices is None else list(consensus.slices),
        "DisputedVoxels": consensus.disputed,
        "Undecided": options.undecided,
        "UndecidedVoxels": consensus.undecided,
        "InterObserver": [
            {
                "Index": found.index,
                "Structure": found.name,
                "VolumesMl": plain(found.volumes_ml),
                "VolumeVariationPercent": plain(found.volume_variation_percent),
                "PairwiseDice": plain(found.dice),
                "FleissKappa": plain(found.kappa),
            }
            for found in consensus.agreement
        ],
        "Performance": None if consensus.staple is None else _performance(consensus, consensus.staple),
    }


def _performance(consensus: Consensus, found: Staple) -> list[dict[str, object]]:
    """STAPLE's estimate of every observer: the share of each structure that he or she calls so."""
    names = {one.index: one.name for one in consensus.agreement}
    return [
        {
            "Observer": number,
            "Background": round(float(matrix[0, 0]), 6),
            "Structures": {
                names[index]: round(float(matrix[place, place]), 6)
                for place, index in enumerate(found.indices)
                if index != 0
            },
        }
        for number, matrix in enumerate(found.performance, start=1)
    ]


def consensus_content(consensus: Consensus) -> AgreementContent:
    """What the page about the observers says."""
    voxels = int(np.count_nonzero(consensus.labels.data))
    share = consensus.disputed / voxels if voxels else float("nan")
    undecided = Row("Undecided", str(consensus.undecided), "voxels", "no label has more than half")
    return AgreementContent(
        kind="consensus",
        title="Agreement among observers",
        key_rows=(
            Row("Observers", str(consensus.observers)),
            Row("Structures", str(len(consensus.agreement))),
            Row("Disputed", str(consensus.disputed), "voxels", f"{digits(100 * share)} % of what the consensus holds"),
            *((undecided,) if consensus.options.undecided is not None else ()),
        ),
        plots=_plots(consensus),
        tables=(_inter_observer_table(consensus), *_pair_tables(consensus)),
        method=_method(consensus),
        versions=software_versions(),
    )


def _plots(consensus: Consensus) -> tuple[Plot, ...]:
    groups = {found.name: {"pairs": found.dice} for found in consensus.agreement}
    if not any(isfinite(value) for found in consensus.agreement for value in found.dice):
        return ()
    label = "Sørensen–Dice of two observers"
    return (Plot(distribution_svg(groups, label=label), f"{label} by structure.", f"{label}: one point per pair."),)


def _inter_observer_table(consensus: Consensus) -> Table:
    rows = []
    for found in consensus.agreement:
        known = [value for value in found.dice if isfinite(value)]
        mean, low = (sum(known) / len(known), min(known)) if known else (float("nan"),) * 2
        volume = f"{digits(float(np.mean(found.volumes_ml)))}"
        variation = digits(found.volume_variation_percent)
        rows.append((found.name, digits(mean), digits(low), digits(found.kappa), volume, variation))
    heads = ("Structure", "Mean Dice", "Lowest Dice", "Fleiss' kappa", "Mean volume (ml)", "Variation (%)")
    note = "Dice over all pairs of observers; variation: standard deviation of the volumes in percent of their mean."
    return Table("All observers", heads, tuple(rows), note)


def _pair_tables(consensus: Consensus) -> Iterator[Table]:
    """Dice of every two observers as a matrix, one table per structure."""
    count = consensus.observers
    for found in consensus.agreement:
        dice = {(pair.first, pair.second): value for pair, value in zip(consensus.pairs, found.dice, strict=True)}
        rows = tuple(
            (
                f"Observer {a}",
                *("–" if a == b else digits(dice[min(a, b), max(a, b)]) for b in range(1, count + 1)),
            )
            for a in range(1, count + 1)
        )
        yield Table(f"Dice: {found.name}", ("", *(str(b) for b in range(1, count + 1))), rows)


def _method(consensus: Consensus) -> str:
    options = consensus.options
    how = {
        "majority": "by the majority of their votes",
        "staple": "by STAPLE (Warfield et al. 2004, doi 10.1109/TMI.2004.828354)",
    }[options.method]
    where = "" if consensus.slices is None else f" on the {len(consensus.slices)} slices that all of them drew"
    unsure = "" if options.undecided is None else " Voxels for which no label had more than half were left undecided."
    return (
        f"Label maps of {consensus.observers} observers were fused {how}{where}.{unsure} Agreement is given as the "
        "Sørensen–Dice coefficient of every pair and as Fleiss' kappa within the box that holds all that anybody "
        f"labelled. Cormack {package_version('cormack')}, research use only."
    )
