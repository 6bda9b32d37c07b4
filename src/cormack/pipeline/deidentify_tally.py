"""Counts of a de-identification, and the report's content made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.core.findings import Finding
from cormack.dicom.deidentify.ledger import Actions
from cormack.dicom.deidentify.reasons import Reason
from cormack.dicom.deidentify.sop_classes import sop_class_name
from cormack.pipeline.deidentify_worker import Outcome, Status
from cormack.report.deidentification_content import RefusedObjects

#: Files that a source leaves out and that cannot have been DICOM objects.
_HARMLESS = frozenset({"empty file", "link to a folder", "not a plain file", "link in an archive"})


@dataclass
class Tally:
    """Counts of outcomes.

    Parameters
    ----------
    skipped : mapping of str to int
        What the source left out, by reason.
    """

    skipped: Mapping[str, int]
    statuses: Counter[Status] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    aside: Counter[str] = field(default_factory=Counter)
    pixels: Counter[str] = field(default_factory=Counter)
    actions: Actions = field(default_factory=Counter)
    same_uid: int = 0
    series: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for reason, count in self.skipped.items():
            if reason in _HARMLESS:
                self.aside[reason] += count
            else:
                self.refused["", reason] += count

    def add(self, outcome: Outcome) -> None:
        """Count one object."""
        if outcome.reason is not None:
            self.leave_out(outcome.reason, outcome.detail, outcome.sop_class)
            return
        self.statuses[outcome.status] += 1
        self.same_uid += outcome.same_uid
        self.written[sop_class_name(outcome.sop_class)] += 1
        self.pixels[outcome.pixels] += 1
        self.actions.update(outcome.actions)
        self.series.add(outcome.place)

    def leave_out(self, reason: Reason, detail: str = "", sop_class: str = "") -> None:
        """Count an object that has no place in the output."""
        words = f"{reason.sentence}: {detail}" if detail not in ("", reason.sentence) else reason.sentence
        if reason.is_refusal:
            self.refused[sop_class_name(sop_class) if sop_class else "", words] += 1
        else:
            self.aside[words] += 1

    @property
    def objects(self) -> int:
        """All that was counted."""
        return sum(self.written.values()) + sum(self.refused.values()) + sum(self.aside.values())

    @property
    def places(self) -> tuple[int, int, int]:
        """Patients, studies and series of the objects in the output."""
        return len({s[:1] for s in self.series}), len({s[:2] for s in self.series}), len(self.series)

    @property
    def refused_by_reason(self) -> dict[str, int]:
        """Refused objects by reason, most frequent first."""
        counts: Counter[str] = Counter()
        for (_, reason), count in self.refused.items():
            counts[reason] += count
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def actions_by_kind(self) -> dict[str, dict[str, int]]:
        """Attributes by what was done to them and by class, for the report."""
        kinds = dict.fromkeys(kind for kind, _ in sorted(self.actions))
        return {kind: {name: n for (k, name), n in sorted(self.actions.items()) if k == kind} for kind in kinds}

    def refused_groups(self) -> tuple[RefusedObjects, ...]:
        """Refused objects by kind and reason, for the report."""
        return tuple(RefusedObjects(sop_class, reason, n) for (sop_class, reason), n in sorted(self.refused.items()))

    def findings(self) -> tuple[Finding, ...]:
        """What a person should know besides the counts."""
        if not self.same_uid:
            return ()
        message = (
            f"{self.same_uid} objects have the SOP Instance UID of another object and other content; each was kept "
            "under a name of its own, and archives may take only one of them"
        )
        return (Finding("same-uid", message, {"objects": self.same_uid}),)
