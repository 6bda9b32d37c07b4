"""The report of a de-identification as one HTML page, and its audit for the data-protection officer as JSON."""

from __future__ import annotations

from cormack.report.deidentification_content import DeidentificationContent


def render_deidentification(content: DeidentificationContent) -> str:
    """Write the report as one self-contained HTML document (text of UTF-8)."""
    raise NotImplementedError


def audit_record(content: DeidentificationContent) -> dict[str, object]:
    """The audit as plain values, to be written as JSON."""
    raise NotImplementedError
