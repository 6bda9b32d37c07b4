"""The one-file HTML report: opens offline and asks the network for nothing."""

from __future__ import annotations

from cormack.report.charts import distance_bars, side_view
from cormack.report.content import ReportContent
from cormack.report.figures import figures
from cormack.report.hippocampi import HippocampiContent, HippocampiSection, hippocampi_section
from cormack.report.kinds import kind_of
from cormack.report.methods import methods_text
from cormack.report.pages import page_template
from cormack.report.structures import StructureSection, structure_section
from cormack.report.tables import (
    BRAIN_VOLUMES,
    Row,
    acquisition_rows,
    capital,
    geometry_rows,
    measurement_rows,
    number,
    sentence,
    warned,
)

#: Findings that say that brain is missing from the picture.
COVERAGE_CODES = ("vertex-cut", "base-cut", "brain-cut-laterally")


def render_report(content: ReportContent) -> str:
    """Write the report as one self-contained HTML document (text of UTF-8).

    Pictures are embedded, and a content security policy forbids the page every request. All text is escaped.
    """
    stack = content.stack
    bars = distance_bars(stack) if stack is not None else None
    kind = kind_of(content.volume)
    return page_template("report.html.j2").render(
        content=content,
        kind=kind,
        key_rows=key_rows(content),
        warnings=sorted((warned(finding) for finding in content.all_findings), key=lambda w: w.is_note),
        figures=figures(content.volume, content.head, content.brain, content.template_brain),
        charts=kind.charts(content.measures),
        volume_rows=measurement_rows(content.measures.measurements, volumes=True),
        other_rows=measurement_rows(content.measures.measurements, volumes=False),
        structures=_structures(content),
        acquisition=acquisition_rows(content.volume.acquisition),
        geometry=geometry_rows(content),
        side=side_view(stack) if stack is not None and (bars or stack.leans) else None,
        bars=bars,
        selection=[sentence(line) for line in content.selection],
        methods=methods_text(content),
        total_s=sum(content.seconds.values()),
        number=number,
    )


def _structures(content: ReportContent) -> StructureSection | HippocampiSection | None:
    if content.structures is None:
        return None
    if isinstance(content.structures, HippocampiContent):
        return hippocampi_section(content.volume, content.structures)
    return structure_section(content.volume, content.structures)


def key_rows(content: ReportContent) -> tuple[Row, ...]:
    """The few numbers that stand on top of the page."""
    values = {m.name: m.value for m in content.measures.measurements}
    kind = kind_of(content.volume)
    codes = {finding.code for finding in content.all_findings}
    cut = [code for code in COVERAGE_CODES if code in codes]
    words = {"vertex-cut": "vertex cut", "base-cut": "base cut", "brain-cut-laterally": "cut at the side"}
    mean, deviation = values.get(f"mean {kind.value}"), values.get(f"standard deviation {kind.value}")
    digits = 0 if kind.unit else None
    spacing = content.volume.spacing_mm
    stack = content.stack
    slices = stack.shape[2] if stack is not None else content.volume.shape[2]
    gaps = stack.slice_distances_mm if stack is not None else ()
    apart = number(min(gaps, default=spacing[2]), 1)
    if max(gaps, default=0.0) > 1.02 * min(gaps, default=0.0):
        apart += f" to {number(max(gaps), 1)}"
    return (
        *(Row(capital(name), number(values[name], 0), "ml") for name in BRAIN_VOLUMES if name in values),
        Row("Head volume", number(values.get("head volume"), 0), "ml", "within the field of view"),
        Row(
            "Brain mask, median",
            number(values.get(f"median {kind.value}"), digits),
            kind.unit,
            f"mean {number(mean, digits)}, SD {number(deviation, digits)}",
        ),
        Row("Brain coverage", ", ".join(words[code] for code in cut) or "complete"),
        Row("Slices", number(slices), "", f"{apart} mm apart"),
        Row("Noise in brain", number(values["noise HU"], 1), "HU") if "noise HU" in values else _voxels(spacing),
    )


def _voxels(spacing_mm: tuple[float, float, float]) -> Row:
    return Row("Voxels", " × ".join(number(step, 1) for step in spacing_mm), "mm")
