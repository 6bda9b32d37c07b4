"""The page and the audit of a de-identification."""

import json
import re
from html.parser import HTMLParser

import pytest

from cormack.core.findings import Finding
from cormack.dicom.deidentify.options import Option
from cormack.report.deidentification import action_table, audit_record, key_rows, render_deidentification
from cormack.report.deidentification_content import DeidentificationContent, RefusedObjects
from cormack.report.deidentification_words import (
    Status,
    always_left_in,
    option_words,
    safe_harbor_checklist,
    statements,
)

SWITCHES = [option.value for option in Option]
LEFT_IN = {
    "retain-longitudinal-modified-dates": "C",
    "retain-longitudinal-full-dates": "C",
    "retain-uids": "R",
    "retain-device-identity": "BM",
    "retain-institution": "B",
    "retain-patient-characteristics": "CR",
    "retain-safe-private": "R",
}


@pytest.fixture
def content():
    return DeidentificationContent(
        options=("clean-descriptors", "retain-longitudinal-modified-dates"),
        method_codes=(("113100", "DCM", "Basic Application Confidentiality Profile"),),
        edition="DICOM PS3.15, early 2025",
        key_label="5356ff296ebd",
        patients=2,
        studies=3,
        series=4,
        objects=12,
        written={"CT Image Storage": 7, "MR Image Storage": 2},
        refused=(
            RefusedObjects("Encapsulated PDF Storage", "<b>cannot</b> be cleaned", 1),
            RefusedObjects("", "damaged", 1),
        ),
        left_aside={"not DICOM": 1},
        actions={"removed": {"people": 3, "private": 4}, "UIDs mapped": {"UIDs": 36}, "emptied": {}},
        pixels={"untouched": 9},
        findings=(Finding("project-key-readable", "others may read the key", {"mode": "644"}),),
        versions={"cormack": "0.1.0"},
        seconds={"survey": 1.0, "clean": 3.0},
        created="2026-11-21",
    )


class Page(HTMLParser):
    """Text and tags; fails where tags do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_page(content) -> None:
    html = render_deidentification(content)
    page = Page(html)
    assert "Shifted dates and times are not HIPAA Safe Harbor." in page.text
    assert "5356ff296ebd" in page.text
    assert "<b>cannot" not in html
    assert "<b>cannot</b> be cleaned" in page.text
    assert page.text.count("left in") >= 2
    assert re.search(r"all 7 36\b", page.text), "totals of the actions that were counted"
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {attrs["href"][1:] for tag, attrs in page.tags if tag == "a"} == ids


def test_page_asks_nothing_of_the_network(content) -> None:
    html = render_deidentification(content)
    assert "default-src 'none'" in html
    assert not re.search(r"<script|<img|https?://|url\(|@import", html)
    assert len(html) < 60_000


def test_the_least_page() -> None:
    content = DeidentificationContent((), (), "edition", "label", 0, 0, 0, 0, {})
    page = Page(render_deidentification(content))
    assert "None: the profile as it is" in page.text
    assert "Nothing was refused." in page.text
    assert "not de-identified by the Safe Harbor method" not in page.text


def test_key_rows(content) -> None:
    rows = {row.name: row.value for row in key_rows(content)}
    assert rows["Objects written"] == "9"
    assert rows["Objects refused"] == "2"
    assert rows["Dates"] == "shifted"


def test_action_table() -> None:
    table = action_table({"removed": {"people": 1}, "emptied": {"texts": 2, "people": 3}, "replaced": {}})
    assert table is not None
    assert table.actions == ("removed", "emptied")
    assert table.rows == (("people", (1, 3)), ("texts", (0, 2)))
    assert table.totals == (1, 5)
    assert action_table({}) is None
    assert action_table({"removed": {"people": 0}}) is None


def test_audit_is_plain_and_complete(content) -> None:
    audit = json.loads(json.dumps(audit_record(content)))
    assert audit["Edition"] == content.edition
    assert [option["Option"] for option in audit["Options"]] == [
        "clean-descriptors",
        "retain-longitudinal-modified-dates",
    ]
    assert all(option["LeavesIn"] for option in audit["Options"])
    assert len(audit["SafeHarbor"]["Identifiers"]) == 18
    assert audit["SafeHarbor"]["OptionsLeaveNothingIn"] is False
    assert any("not HIPAA Safe Harbor" in line for line in audit["SafeHarbor"]["Statements"])
    assert sum(group["Objects"] for group in audit["Counts"]["Refused"]) == 2
    assert audit["Counts"]["Written"] == dict(content.written)


def test_every_option_has_its_words() -> None:
    assert sorted(words.switch for words in option_words()) == sorted(SWITCHES)
    for words in option_words():
        # The standard's names, as CID 7050 has them.
        meaning = Option(words.switch).code.meaning.removesuffix(" Option")
        assert words.name.replace(",", "") == meaning
    assert always_left_in()


def test_the_18_identifiers() -> None:
    rows = safe_harbor_checklist(())
    assert "".join(row.letter for row in rows) == "ABCDEFGHIJKLMNOPQR"
    assert {row.status for row in rows} == {Status.MET, Status.NONE, Status.PIXELS}


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_option_tells_what_it_leaves_in(switch: str) -> None:
    rows = safe_harbor_checklist([switch])
    left = "".join(row.letter for row in rows if row.status is Status.LEFT_IN)
    assert left == LEFT_IN.get(switch, "")
    assert all(switch in row.how for row in rows if row.status is Status.LEFT_IN)
    first = statements([switch])[0]
    assert ("is not de-identified by the Safe Harbor" in first) == bool(left)
