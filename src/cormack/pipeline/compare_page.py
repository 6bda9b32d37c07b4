"""The page of a comparison of label maps: plots, summaries, tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isinf, isnan

from cormack.core.provenance import package_version, software_versions
from cormack.measure.cohort import Case, MethodTest, Summary, methods, structures, values_of
from cormack.measure.metrics import Metric
from cormack.measure.statistics import Regression
from cormack.pipeline.comparison import BY_NAME, CompareOptions, Comparison
from cormack.report.agreement import AgreementContent, Plot, Table
from cormack.report.distributions import distribution_svg
from cormack.report.tables import Row, number

#: Metrics that are plotted, with the label of the axis.
PLOTTED = {
    "dice": "Sørensen–Dice",
    "hausdorff95_mm": "Hausdorff distance, 95 % (mm)",
    "average_surface_distance_mm": "Average surface distance (mm)",
    "difference_percent": "Volume difference (%)",
}
#: Metrics in the table of the page.
SHOWN = ("dice", "hausdorff95_mm", "average_surface_distance_mm", "surface_dice", "difference_ml")


def comparison_content(comparison: Comparison) -> AgreementContent:
    """What the page of a comparison says."""
    cases, options = comparison.cases, comparison.options
    found = structures(cases)
    tables = [_summary_table(comparison.summaries)]
    tables += [_test_table(comparison.tests, options)] if comparison.tests else []
    tables += [] if comparison.regression is None else [_regression_table(comparison.regression)]
    return AgreementContent(
        kind="comparison",
        title="Agreement with the reference",
        key_rows=(
            Row("Subjects", str(comparison.subjects)),
            Row("Structures", str(len(found))),
            Row("Methods", str(len(methods(cases)))),
            *(_key_row(summary) for summary in comparison.summaries if summary.metric == "dice" and len(found) == 1),
        ),
        plots=tuple(_plot(cases, BY_NAME[name], options) for name in PLOTTED if _any(cases, BY_NAME[name])),
        tables=tuple(tables),
        findings=comparison.findings,
        method=_method(options),
        versions=software_versions(),
    )


def _key_row(summary: Summary) -> Row:
    return Row(f"Dice, {summary.method}", digits(summary.mean), "", f"lowest {digits(summary.minimum)}")


def _any(cases: Sequence[Case], metric: Metric) -> bool:
    return any(isfinite(metric.of(case.agreement)) for case in cases)


def _plot(cases: Sequence[Case], metric: Metric, options: CompareOptions) -> Plot:
    label = PLOTTED[metric.name]
    groups = {
        name: {method: list(values_of(cases, metric, method, index).values()) for method in methods(cases)}
        for index, name in structures(cases).items()
    }
    svg = distribution_svg(groups, label=label, kind=options.plot)
    return Plot(svg, f"{label} by structure and method.", f"{label}: one point per subject; {metric.definition}.")


def _summary_table(summaries: Sequence[Summary]) -> Table:
    by_place = {(s.index, s.method, s.metric): s for s in summaries}
    rows = []
    for index, method in dict.fromkeys((s.index, s.method) for s in summaries):
        chosen = [by_place[index, method, name] for name in SHOWN]
        rows.append((chosen[0].structure, method, str(chosen[0].subjects), *(_mean_and_spread(s) for s in chosen)))
    heads = ("Dice", "HD95 (mm)", "Mean distance (mm)", "Surface Dice", "Difference (ml)")
    note = "Mean ± standard deviation over the subjects for which the metric is defined; n/a where it is for none."
    return Table("Structures", ("Structure", "Method", "Subjects", *heads), tuple(rows), note, numeric_from=2)


def _mean_and_spread(summary: Summary) -> str:
    if isnan(summary.mean):
        return "n/a"
    known = summary.subjects - summary.undefined
    spread = "" if isnan(summary.standard_deviation) else f" ± {digits(summary.standard_deviation)}"
    return digits(summary.mean) + spread + (f" (of {known})" if summary.undefined else "")


def _test_table(tests: Sequence[MethodTest], options: CompareOptions) -> Table:
    rows = tuple(
        (
            test.structure,
            test.metric,
            test.first,
            test.second,
            str(test.test.pairs),
            digits(test.test.mean_difference),
            digits(test.test.p_value),
            digits(test.p_holm),
        )
        for test in tests
    )
    name = {"wilcoxon": "Wilcoxon's signed ranks", "t": "Paired t test"}[options.test]
    heads = ("Structure", "Metric", "First", "Second", "Pairs", "Mean difference", "p", "p (Holm)")
    note = f"{name}, two-sided; the difference is second minus first."
    return Table("Differences between methods", heads, rows, note, numeric_from=4)


def _regression_table(regression: Regression) -> Table:
    rows = tuple(
        (c.factor, c.level, f"{c.estimate:+.3f}", f"{c.low:+.3f} to {c.high:+.3f}", digits(c.p_value))
        for c in regression.coefficients
    )
    factors = "; ".join(f"{name}: p = {digits(p)}" for name, p in regression.factor_p.items())
    note = (
        f"Categorical linear regression of Dice, against the first level of each factor. {factors}. Values of one "
        "subject are taken as independent."
    )
    return Table("Regression", ("Factor", "Level", "Difference", "95 % interval", "p"), rows, note, numeric_from=2)


def digits(value: float) -> str:
    """Three digits after the point, more for small numbers; n/a for none."""
    if isnan(value) or isinf(value):
        return "n/a" if isnan(value) else "∞"
    return f"{value:.2g}" if 0 < abs(value) < 0.0095 else number(value, 3)


def _method(options: CompareOptions) -> str:
    where = "the whole grid"
    if options.slices is not None:
        drawn = options.slices == "drawn"
        where = "the slices on which the reference was drawn" if drawn else f"{len(options.slices)} chosen slices"
        where += ", distances within each slice"
    unsure = "" if options.undecided is None else " Voxels on which the observers had not agreed did not count."
    return (
        f"Label maps were compared with the reference over {where}, structure by structure: Sørensen–Dice coefficient, "
        "symmetric surface distances between boundary voxels (maximum, 95th percentile, mean) and surface Dice at a "
        f"tolerance of {options.tolerance_mm:g} mm (Nikolov et al. 2021, doi 10.2196/26151). Metrics of absent "
        f"structures are undefined and left out.{unsure} Cormack {package_version('cormack')}, research use only."
    )
