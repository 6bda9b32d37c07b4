"""What a stage found out about a scan: measurements, and warnings with their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measurement:
    """A number with its unit and the definition it follows.

    `value` is None where it could not be measured; `definition` then says why.
    """

    name: str
    value: float | None
    unit: str
    definition: str


@dataclass(frozen=True)
class Finding:
    """A suspicion about a scan, in plain words, with the numbers it rests on.

    `code` is stable and machine-readable (`vertex-cut`, `contrast-suspected`); `message` is for people.
    """

    code: str
    message: str
    evidence: Mapping[str, object] = field(default_factory=dict)
