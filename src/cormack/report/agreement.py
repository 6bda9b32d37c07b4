"""The page about agreement: of predictions with a reference, or of observers with each other."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.core.findings import Finding
from cormack.report.pages import page_template
from cormack.report.tables import Row


@dataclass(frozen=True)
class Plot:
    """A plot as an SVG document, what it shows in words, and its caption."""

    svg: str
    alt: str
    caption: str

    @property
    def uri(self) -> str:
        """The plot as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class Table:
    """A table of text: numbers from column `numeric_from` on stand on the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric_from: int = 1


@dataclass(frozen=True)
class AgreementContent:
    """What the page says.

    Parameters
    ----------
    kind, title : str
        What was done, and the heading.
    key_rows : tuple of Row
    plots : tuple of Plot
    tables : tuple of Table
    findings : tuple of Finding
    method : str
        A paragraph for the methods section of a paper.
    versions : mapping of str to str
        Of the software.
    """

    kind: str
    title: str
    key_rows: tuple[Row, ...]
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]
    method: str
    findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def render_agreement(content: AgreementContent) -> str:
    """Write the page as one self-contained HTML document (text of UTF-8)."""
    return page_template("agreement.html.j2").render(content=content)
