"""What a comparison of label maps is made of: how it is done, its cases, its record in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Literal

from cormack.core.findings import Finding
from cormack.core.provenance import generated_by, software_versions
from cormack.measure.agreement import TOLERANCE_MM, StructureAgreement
from cormack.measure.cohort import (
    Case,
    MethodTest,
    Summary,
    compare_methods,
    methods,
    regress,
    summarise,
)
from cormack.measure.metrics import METRICS, metric_values, undefined
from cormack.measure.statistics import Regression
from cormack.report.distributions import Kind

BY_NAME = {metric.name: metric for metric in METRICS}
#: Metrics whose difference between methods is tested.
TESTED = ("dice", "hausdorff95_mm", "average_surface_distance_mm")


@dataclass(frozen=True)
class CompareOptions:
    """How label maps are compared.

    Parameters
    ----------
    names : Path, optional
        Table of the structures' names; else `….tsv` beside each map is read if it is there.
    tolerance_mm : float
        Of surface Dice.
    slices : "drawn", sequence of int, or None
        Compare only the slices on which the reference holds anything, or these k of the grid in RAS+ order; None: all.
    undecided : int, optional
        Number of the reference that stands for voxels on which its observers could not agree.
    surfaces : bool
        Measure surface distances.
    test : "wilcoxon" or "t"
        Test of differences between methods.
    plot : "box" or "violin"
    assume_mm : bool
        Take headers without a unit of length for millimetres.
    """

    names: Path | None = None
    tolerance_mm: float = TOLERANCE_MM
    slices: Literal["drawn"] | tuple[int, ...] | None = None
    undecided: int | None = None
    surfaces: bool = True
    test: Literal["wilcoxon", "t"] = "wilcoxon"
    plot: Kind = "box"
    assume_mm: bool = False


@dataclass(frozen=True)
class Comparison:
    """What was compared, how, and what came of it.

    Attributes
    ----------
    cases : tuple of Case
    options : CompareOptions
    findings : tuple of Finding
    summaries : tuple of Summary
        Every metric, structure and method over all subjects.
    tests : tuple of MethodTest
        Each two methods.
    regression : Regression or None
        Of the Dice coefficient on method and structure.
    """

    cases: tuple[Case, ...]
    options: CompareOptions
    findings: tuple[Finding, ...]
    summaries: tuple[Summary, ...]
    tests: tuple[MethodTest, ...]
    regression: Regression | None

    @classmethod
    def of(cls, cases: tuple[Case, ...], options: CompareOptions, findings: tuple[Finding, ...]) -> Comparison:
        """Summarise and test cases."""
        tested = [BY_NAME[name] for name in TESTED]
        return cls(
            cases,
            options,
            findings,
            summarise(cases, METRICS),
            compare_methods(cases, tested, options.test),
            regress(cases, BY_NAME["dice"]),
        )

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return len({case.subject for case in self.cases})

    def told(self) -> tuple[str, ...]:
        """One line per method, for people."""
        lines = []
        for method in methods(self.cases):
            known = [case for case in self.cases if case.method == method and isfinite(case.agreement.dice)]
            if not known:
                lines.append(f"{method}: no structure is in the reference or the prediction")
                continue
            worst = min(known, key=lambda case: case.agreement.dice)
            mean = sum(case.agreement.dice for case in known) / len(known)
            lines.append(
                f"{method}: mean Dice {mean:.3f} over {len(known)} structures of {self.subjects} subjects, lowest "
                f"{worst.agreement.dice:.3f} ({worst.agreement.name}, subject {worst.subject})"
            )
        return tuple(lines)


def cells(case: Case) -> dict[str, str]:
    """One row of the table."""
    return {"subject": case.subject, "method": case.method, **agreement_cells(case.agreement)}


def agreement_cells(agreement: StructureAgreement) -> dict[str, str]:
    """Structure, every metric, and why some are undefined, as text by column."""
    return {
        "index": str(agreement.index),
        "structure": agreement.name,
        **{name: "" if isnan(value) else f"{value:.6g}" for name, value in metric_values(agreement).items()},
        "undefined": "; ".join(sorted(set(undefined(agreement).values()))),
    }


def record(comparison: Comparison) -> dict[str, object]:
    """The definitions, the summaries and the tests as plain values."""
    options = comparison.options
    return {
        "GeneratedBy": generated_by(),
        "ResearchUseOnly": True,
        "Software": software_versions(),
        "Subjects": comparison.subjects,
        "Methods": list(methods(comparison.cases)),
        "ToleranceMm": options.tolerance_mm,
        "Slices": options.slices or "all",
        "Undecided": options.undecided,
        "Columns": {metric.name: {"Description": metric.definition, "Units": metric.unit} for metric in METRICS},
        "Summary": [plain(asdict(summary)) for summary in comparison.summaries],
        "Undefined": list(_undefined(comparison.cases)),
        "PairedTest": options.test,
        "PairedTests": [plain(asdict(test)) for test in comparison.tests],
        "DiceRegression": None if comparison.regression is None else plain(asdict(comparison.regression)),
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in comparison.findings],
    }


def _undefined(cases: Sequence[Case]) -> Iterator[dict[str, str]]:
    for case in cases:
        for name, reason in undefined(case.agreement).items():
            yield {
                "Subject": case.subject,
                "Method": case.method,
                "Structure": case.agreement.name,
                "Metric": name,
                "Reason": reason,
            }


def plain(value: object) -> object:
    """Numbers as JSON can hold them: NaN is null, infinity the text "inf"."""
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
