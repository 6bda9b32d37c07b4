"""The one-file HTML report: opens offline and asks the network for nothing."""

from __future__ import annotations

from html import escape

from .content import ReportContent


def render_report(content: ReportContent) -> str:
    """Write the report as one self-contained HTML document (text of UTF-8)."""
    return f"<!doctype html><title>{escape(content.subject)}</title>"
