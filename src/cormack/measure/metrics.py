"""The metrics of agreement as a table: what each is called, its unit, what it means, and why it may be undefined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from cormack.measure.agreement import StructureAgreement


@dataclass(frozen=True)
class Metric:
    """One column of a table of agreement."""

    name: str
    unit: str
    definition: str
    of: Callable[[StructureAgreement], float]


METRICS = (
    Metric("dice", "", "Sørensen–Dice coefficient, 2 TP / (2 TP + FP + FN) over voxels", lambda a: a.counts.dice),
    Metric("jaccard", "", "Jaccard index, TP / (TP + FP + FN)", lambda a: a.counts.jaccard),
    Metric("sensitivity", "", "TP / (TP + FN)", lambda a: a.counts.sensitivity),
    Metric("specificity", "", "TN / (TN + FP); grows with the field of view", lambda a: a.counts.specificity),
    Metric("precision", "", "TP / (TP + FP)", lambda a: a.counts.precision),
    Metric("reference_ml", "ml", "volume in the reference, by voxel counting", lambda a: a.reference_ml),
    Metric("predicted_ml", "ml", "volume in the prediction, by voxel counting", lambda a: a.predicted_ml),
    Metric("difference_ml", "ml", "predicted minus reference volume", lambda a: a.difference_ml),
    Metric("difference_percent", "%", "difference in percent of the reference volume", lambda a: a.difference_percent),
    Metric("hausdorff_mm", "mm", "greatest distance from one surface to the other", lambda a: a.hausdorff_mm),
    Metric(
        "hausdorff95_mm",
        "mm",
        "95th percentile of the distances from one surface to the other, of both directions the greater",
        lambda a: a.hausdorff95_mm,
    ),
    Metric(
        "average_surface_distance_mm",
        "mm",
        "mean distance over the voxels of both surfaces",
        lambda a: a.average_surface_distance_mm,
    ),
    Metric(
        "surface_dice",
        "",
        "share of both surfaces' area within the tolerance of the other (doi 10.2196/26151)",
        lambda a: a.surface_dice,
    ),
    Metric(
        "positive_likelihood_ratio",
        "",
        "sensitivity / (1 − specificity)",
        lambda a: a.counts.positive_likelihood_ratio.value,
    ),
    Metric(
        "positive_likelihood_ratio_low",
        "",
        "lower end of its 95 % confidence interval (doi 10.1016/0895-4356(91)90128-v), voxels taken as independent",
        lambda a: a.counts.positive_likelihood_ratio.low,
    ),
    Metric(
        "positive_likelihood_ratio_high",
        "",
        "upper end of the interval",
        lambda a: a.counts.positive_likelihood_ratio.high,
    ),
    Metric(
        "negative_likelihood_ratio",
        "",
        "(1 − sensitivity) / specificity",
        lambda a: a.counts.negative_likelihood_ratio.value,
    ),
    Metric(
        "negative_likelihood_ratio_low",
        "",
        "lower end of its 95 % confidence interval",
        lambda a: a.counts.negative_likelihood_ratio.low,
    ),
    Metric(
        "negative_likelihood_ratio_high",
        "",
        "upper end of the interval",
        lambda a: a.counts.negative_likelihood_ratio.high,
    ),
)


def metric_values(agreement: StructureAgreement) -> dict[str, float]:
    """Every metric by its name; NaN where it is not defined."""
    return {metric.name: metric.of(agreement) for metric in METRICS}


def undefined(agreement: StructureAgreement) -> dict[str, str]:
    """Why metrics are NaN, by name; empty if all are defined."""
    missing = [name for name, value in metric_values(agreement).items() if isnan(value)]
    return {name: _reason(agreement, name) for name in missing}


def _reason(agreement: StructureAgreement, name: str) -> str:
    counts = agreement.counts
    if not counts.reference and not counts.predicted:
        return "absent in both"
    if not counts.reference:
        return "absent in the reference"
    if not counts.predicted:
        return "absent in the prediction"
    if "likelihood" in name:
        return "a count of the confusion table is 0"
    if agreement.slices_left_out:
        return "no slice shows it in both"
    return "surfaces were not measured"
