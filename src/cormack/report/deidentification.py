"""The report of a de-identification as one HTML page, and its audit for the data-protection officer as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cormack.report.deidentification_content import DeidentificationContent
from cormack.report.deidentification_words import (
    Status,
    always_left_in,
    option_words,
    safe_harbor_checklist,
    statements,
)
from cormack.report.pages import page_template
from cormack.report.tables import Row, number, warned


@dataclass(frozen=True)
class ActionTable:
    """What was done (columns) to how many elements of which class of attributes (rows)."""

    actions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    totals: tuple[int, ...]


def render_deidentification(content: DeidentificationContent) -> str:
    """Write the report as one self-contained HTML document (text of UTF-8).

    A content security policy forbids the page every request. All text is escaped; no value of any header is on it.
    """
    chosen = frozenset(content.options)
    checklist = safe_harbor_checklist(chosen)
    return page_template("deidentification.html.j2").render(
        content=content,
        key_rows=key_rows(content),
        warnings=[warned(finding) for finding in content.findings],
        actions=action_table(content.actions),
        options=[words for words in option_words() if words.switch in chosen],
        others=[words for words in option_words() if words.switch not in chosen],
        always_left_in=always_left_in(),
        checklist=checklist,
        left_in=sum(row.status is Status.LEFT_IN for row in checklist),
        statements=statements(chosen),
        total_s=sum(content.seconds.values()),
        number=number,
    )


def key_rows(content: DeidentificationContent) -> tuple[Row, ...]:
    """The few numbers that stand on top of the page."""
    dates = {
        "retain-longitudinal-modified-dates": "shifted",
        "retain-longitudinal-full-dates": "kept in full",
    }
    studies = "study" if content.studies == 1 else "studies"
    stated = [word for option, word in dates.items() if option in content.options]
    return (
        Row("Objects written", number(content.written_count), "", f"of {number(content.objects)} found"),
        Row("Objects refused", number(content.refused_count), "", "see why" if content.refused else "none"),
        Row(
            "Patients",
            number(content.patients),
            "",
            f"{number(content.studies)} {studies}, {number(content.series)} series",
        ),
        Row("Dates", stated[0] if stated else "removed"),
        Row("Options", number(len(content.options)), "", "of 12 of the profile"),
        Row("Project key", content.key_label, "", "label, not the key"),
    )


def action_table(actions: Mapping[str, Mapping[str, int]]) -> ActionTable | None:
    """Counts by class of attribute and kind of action; None if nothing was counted."""
    kinds = tuple(kind for kind, counts in actions.items() if any(counts.values()))
    if not kinds:
        return None
    classes = dict.fromkeys(name for kind in kinds for name in actions[kind])
    rows = tuple((name, tuple(actions[kind].get(name, 0) for kind in kinds)) for name in classes)
    return ActionTable(kinds, rows, tuple(sum(column) for column in zip(*(counts for _, counts in rows), strict=True)))


def audit_record(content: DeidentificationContent) -> dict[str, object]:
    """The audit as plain values, to be written as JSON: what was done under which options, and what they leave in."""
    chosen = frozenset(content.options)
    checklist = safe_harbor_checklist(chosen)
    return {
        "Profile": "Basic Application Level Confidentiality Profile (DICOM PS3.15 Annex E)",
        "Edition": content.edition,
        "Created": content.created,
        "ProjectKeyLabel": content.key_label,
        "ChosenSubjects": content.chosen_subjects,
        "LookupTableWritten": content.lookup_written,
        "Options": [
            {"Option": words.switch, "Name": words.name, "Does": words.does, "LeavesIn": words.leaves_in}
            for words in option_words()
            if words.switch in chosen
        ],
        "AlwaysLeftIn": list(always_left_in()),
        "DeidentificationMethodCodes": [
            {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}
            for value, scheme, meaning in content.method_codes
        ],
        "SafeHarbor": {
            "Regulation": "45 CFR 164.514(b)(2)(i)",
            "OptionsLeaveNothingIn": all(row.status is not Status.LEFT_IN for row in checklist),
            "Statements": list(statements(chosen)),
            "Identifiers": [
                {"Letter": row.letter, "Identifier": row.identifier, "Status": row.status.value, "How": row.how}
                for row in checklist
            ],
        },
        "Counts": {
            "Patients": content.patients,
            "Studies": content.studies,
            "Series": content.series,
            "Objects": content.objects,
            "Written": dict(content.written),
            "Refused": [
                {"SOPClass": group.sop_class, "Reason": group.reason, "Objects": group.count}
                for group in content.refused
            ],
            "LeftAside": dict(content.left_aside),
            "Actions": {kind: dict(counts) for kind, counts in content.actions.items()},
            "Pixels": dict(content.pixels),
            "Faces": dict(content.faces),
        },
        "Findings": [
            {"Code": finding.code, "Message": finding.message, "Evidence": dict(finding.evidence)}
            for finding in content.findings
        ],
        "SoftwareVersions": dict(content.versions),
        "Seconds": {step: round(seconds, 3) for step, seconds in content.seconds.items()},
    }
