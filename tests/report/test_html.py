"""The page as a browser's parser sees it: self-contained, escaped, complete, in its sections."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from cormack.core.acquisition import Acquisition
from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.measure.scan import measure_scan
from cormack.report.html import key_rows, render_report
from cormack.report.tables import ACQUISITION_ROWS

VOID = {"meta", "link", "input", "br", "img", "hr"}
#: Attributes by which a page can ask for something.
LOADING = {"src", "href", "srcset", "poster", "data", "action", "background", "xlink:href", "manifest", "ping"}


class Page(HTMLParser):
    """Collects elements and checks that they are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.stack, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def html(content):
    return render_report(content)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_is_well_formed(page):
    assert page.stack == []
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en"


def test_nothing_is_asked_of_the_network(html, page):
    for tag, attrs in page.elements:
        for name, value in attrs.items():
            if name not in LOADING:
                continue
            citation = tag == "a" and name == "href" and value.startswith("https://doi.org/")
            assert citation or value.startswith(("#", "data:")), (tag, name, value[:60])
    assert page.all("iframe") == page.all("object") == page.all("embed") == []
    assert all("src" not in attrs for attrs in page.all("script"))
    styles = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in styles
    assert "@import" not in styles
    script = html[html.index("<script>") : html.index("</script>")]
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|https?:|import\(", script)
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy


def test_all_sections_are_there_and_linked(page):
    sections = [attrs["id"] for attrs in page.all("section")]
    assert sections == [
        "summary",
        "selection",
        "images",
        "histogram",
        "volumes",
        "acquisition",
        "geometry",
        "warnings",
        "methods",
        "software",
    ]
    links = {attrs["href"][1:] for attrs in page.all("a") if attrs["href"].startswith("#")}
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    assert set(sections) <= links <= ids


def test_text_is_escaped(html, page):
    assert "<script>alert" not in html
    assert "<b>01</b>" not in html
    assert "ACME <CT> & Sons" in page.words
    assert "sub-<b>01</b>" in page.words


def test_purpose_is_stated_in_plain_sight(page):
    assert page.words.count("Research use only. Not for diagnosis.") == 2


def test_warnings_come_with_evidence_and_remarks_come_last(page, html):
    assert "The top of the brain is cut by the field of view" in page.words
    assert "Area at edge" in page.words
    assert "The gantry was tilted." in page.words
    assert html.index("vertex-cut</code>") < html.index("tilt</code>")


def test_every_picture_has_words_for_those_who_cannot_see_it(page):
    pictures = page.all("svg")
    assert len(pictures) >= 3 + 10 + 5 + 2 + 2
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 20 for attrs in pictures)
    assert all(attrs["href"].startswith("data:image/jpeg;base64,") for attrs in page.all("image"))


def test_table_headers_have_scopes(page):
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.all("th"))


def test_small_and_light_and_dark_and_print(html):
    assert len(html.encode()) < 3e6
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_summary_numbers(content, page):
    rows = {row.name: row for row in key_rows(content)}
    assert rows["Brain coverage"].value == "vertex cut"
    assert rows["Slices"].value == "5"
    assert rows["Slices"].note == "3.0 to 6.0 mm apart"
    volume = content.measures.value("intracranial volume")
    assert rows["Intracranial volume"].value.replace("\u202f", "") == f"{volume:.0f}"
    assert rows["Intracranial volume"].value.replace("\u202f", " ") in page.words


def test_the_least_report(bare):
    page = Page(render_report(bare))
    assert page.stack == []
    assert "selection" not in [attrs["id"] for attrs in page.all("section")]
    assert "Nothing suspicious was found." in page.words
    assert "The source states nothing about the acquisition." in page.words
    assert {row.name: row.value for row in key_rows(bare)}["Brain coverage"] == "complete"


def test_empty_masks_still_make_a_report(bare):
    nothing = np.zeros(bare.volume.shape, np.uint8)
    head, brain = (LabelMap(nothing, bare.volume.affine, table) for table in (HEAD, BRAIN))
    measures = measure_scan(bare.volume, head, brain)
    page = Page(render_report(replace(bare, head=head, brain=brain, measures=measures)))
    assert page.stack == []
    assert "which is empty" in " ".join(attrs["aria-label"] for attrs in page.all("svg"))


def test_acquisition_table_knows_every_fact_of_an_acquisition():
    """A fact that someone adds to Acquisition must be given a row, or be left out on purpose."""
    assert {field.name for field in fields(Acquisition)} - {row[0] for row in ACQUISITION_ROWS} == {"modality"}


def test_equal_findings_are_shown_once(content):
    doubled = replace(content, findings=(*content.findings, *content.findings, *content.measures.findings))
    assert [f.code for f in doubled.all_findings] == [f.code for f in content.all_findings]
