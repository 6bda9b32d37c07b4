"""Every row of table E.1-1 under every option, against a second reading of the standard's table and live IOD tables."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from cormack.core.errors import InputError
from cormack.dicom.deidentify.actions import Action, Resolver, resolver_for
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.profile import profile_rows
from cormack.dicom.deidentify.safe_private import is_safe_private
from cormack.dicom.deidentify.sop_classes import SopKind, sop_kind
from cormack.dicom.deidentify.tables import rows_of

ROOT = Path(__file__).resolve().parents[3]
STANDARD = (
    Path(os.environ.get("CORMACK_SHARED") or ROOT.parent / "shared")
    / "data/standard/confidentiality_profile_attributes.json"
)
ROWS: list[dict[str, str]] = json.loads(STANDARD.read_text("utf-8")) if STANDARD.is_file() else []

COLUMN = {
    Option.RETAIN_LONGITUDINAL_MODIFIED_DATES: "rtnLongModifDatesOpt",
    Option.RETAIN_LONGITUDINAL_FULL_DATES: "rtnLongFullDatesOpt",
    Option.RETAIN_UIDS: "rtnUIDsOpt",
    Option.RETAIN_DEVICE_IDENTITY: "rtnDevIdOpt",
    Option.RETAIN_INSTITUTION: "rtnInstIdOpt",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "rtnPatCharsOpt",
    Option.RETAIN_SAFE_PRIVATE: "rtnSafePrivOpt",
    Option.CLEAN_DESCRIPTORS: "cleanDescOpt",
    Option.CLEAN_STRUCTURED_CONTENT: "cleanStructContOpt",
    Option.CLEAN_GRAPHICS: "cleanGraphOpt",
}

#: CT, enhanced CT, MR, enhanced MR, US, SC, PET, NM, RTSTRUCT, RTPLAN, RTDOSE, SEG, GSPS, SR, mammography, breast tomo.
SOP_CLASSES = [
    f"1.2.840.10008.5.1.4.1.1.{tail}"
    for tail in (
        "2", "2.1", "4", "4.1", "6.1", "7", "128", "20", "481.3", "481.5", "481.2", "66.4", "11.1", "88.33", "1.2",
        "13.1.3",
    )
]  # fmt: skip
UNKNOWN = "1.2.3.4"

DATE_OPTIONS = {Option.RETAIN_LONGITUDINAL_MODIFIED_DATES, Option.RETAIN_LONGITUDINAL_FULL_DATES}
CHOICES = [
    Options.of(choice)
    for size in (0, 1, 2, 3)
    for choice in itertools.combinations(Option, size)
    if not set(choice) >= DATE_OPTIONS
]


def tags_of(row: dict[str, str]) -> list[int]:
    """Tags that a row speaks of; some of the repeating and private groups stand for all."""
    written = row["tag"]
    if written.startswith("(50"):
        return [0x50000005, 0x50003000, 0x501E2500, 0x50FE3000]
    if written.startswith("(60"):
        element = int(written[6:10], 16)
        return [(group << 16) + element for group in (0x6000, 0x6002, 0x601E, 0x60FE)]
    if "ODD" in written:
        return [0x00090010, 0x00091001, 0x00091002, 0x70531000, 0x50011000, 0x60013000, 0xFFFF0001]
    return [int(written[1:5] + written[6:10], 16)]


@cache
def live_types(sop_class_uid: str) -> dict[tuple[tuple[str, ...], str], set[str]]:
    """Types of every attribute at every place in the IOD of a SOP class, from highdicom's own tables."""
    standard = pytest.importorskip("highdicom._standard_utils")
    modules, types = standard.get_module_attribute_map(), {}
    for module in standard.get_iod_module_map()[standard.get_sop_class_iod_map()[sop_class_uid]]:
        for attribute in modules.get(module["key"], []):
            types.setdefault((tuple(attribute["path"]), attribute["keyword"]), set()).add(attribute["type"])
    return types


def expected(row: dict[str, str], options: Options, types: set[str] | None) -> set[Action]:
    """What the standard allows for a row, in plain cases; `types` is None where no IOD is known."""
    stated = {row[COLUMN[option]] for option in options.chosen if option in COLUMN and COLUMN[option] in row}
    if stated:
        return {Action.CLEAN} if "C" in stated else {Action.KEEP}
    code = row["basicProfile"]
    if code in ("X", "D", "U"):
        return {Action(code)}
    if code == "X/Z/U*":
        return {Action.UID}
    must_have_value = types is None or bool(types & {"1", "1C"})
    must_be_there = must_have_value or bool(types & {"2", "2C"})
    if code == "Z":
        return {Action.DUMMY} if types and types & {"1", "1C"} else {Action.ZERO}
    if code == "Z/D":
        return {Action.DUMMY} if must_have_value else {Action.ZERO}
    if code == "X/D":
        return {Action.DUMMY} if must_be_there else {Action.REMOVE}
    if code == "X/Z" and types is None:
        return {Action.ZERO}
    if code in ("X/Z", "X/Z/D"):
        return {Action.DUMMY} if must_have_value else {Action.ZERO} if must_be_there else {Action.REMOVE}
    raise AssertionError(code)


def places(keyword: str) -> Iterator[tuple[str, tuple[int, ...], set[str] | None]]:
    """SOP class, path and types: every place of the attribute in the IODs, and places where it does not belong."""
    yield UNKNOWN, (), None
    yield UNKNOWN, (0x00081140,), None
    for sop_class_uid in SOP_CLASSES:
        types = live_types(sop_class_uid)
        yield sop_class_uid, (), types.get(((), keyword), {"3"})
        yield sop_class_uid, (0x00091010, 0x00091011), {"3"}
        yield sop_class_uid, (0x00400275, 0x00091010, 0x00081140, 0x00400555), {"3"}
        for (path, listed), stated in types.items():
            # One path serves for the many that the macros of content items unfold into.
            if listed == keyword and 0 < len(path) < 4 and len(set(path)) == len(path):
                yield sop_class_uid, tuple(tag_for_keyword(outer) or 0 for outer in path), stated


@pytest.mark.parametrize("row", ROWS or [None], ids=lambda row: row["tag"] if row else "no shared data")
def test_every_row_under_every_option(row: dict[str, str] | None) -> None:
    if row is None:
        pytest.skip("no shared data here")
    for tag in tags_of(row):
        spots = list(places(keyword_for_tag(tag)))
        concerned = {option for option, column in COLUMN.items() if column in row}
        choices = {options for options in CHOICES if options.chosen <= concerned} | {Options.of(set(Option) - {d})
                   for d in DATE_OPTIONS} | {Options.of(set(Option) - concerned - {max(DATE_OPTIONS)})}  # fmt: skip
        for options in choices:
            for sop_class_uid, path, types in spots:
                action = resolver_for(options, sop_class_uid).action(tag, path)
                assert {action} == expected(row, options, types), (row, options, sop_class_uid, path, types)


@pytest.mark.parametrize("options", CHOICES[:13], ids=lambda options: "+".join(options.chosen) or "basic profile")
def test_what_the_table_does_not_list_has_no_action(options: Options) -> None:
    listed = {tag for row in profile_rows() for tag in row.tags()}
    unlisted = set(
        tag_for_keyword(word) for word in ("Rows", "PixelData", "Modality", "ImageType", "KVP", "SliceThickness")
    )
    resolver = resolver_for(options, SOP_CLASSES[0])
    for tag in {0x00080008, 0x60000010, 0x60000022, 0x00280010} | unlisted:
        assert tag not in listed
        assert resolver.action(tag) is None
        assert resolver.action(tag, (0x00091010,)) is None


def test_the_shipped_tables_are_what_the_script_makes(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    script = script_module()
    script.write_tables(json.loads(STANDARD.read_text("utf-8")), tmp_path)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 3
    for path in made:
        assert path.read_text("utf-8") == (script.DATA / path.name).read_text("utf-8"), path.name


def test_the_shipped_table_holds_every_fact_of_the_standard(shared_data: Path) -> None:
    shipped = {row.tag: row for row in profile_rows()}
    assert len(shipped) == len(ROWS) == 621
    for row in ROWS:
        own = shipped[row["tag"]]
        assert own.basic == row["basicProfile"]
        assert own.by_option == {option: row[column] for option, column in COLUMN.items() if column in row}
        assert row["name"].startswith(own.name)


def test_the_edition_is_stated() -> None:
    heading = (ROOT / "src/cormack/dicom/deidentify/data/profile_attributes.tsv").read_text("utf-8").splitlines()[0]
    assert "DICOM PS3.15 Annex E, table E.1-1, early 2025" in heading


def test_a_sequence_within_itself_is_the_sequence() -> None:
    plan = Resolver(Options(), "1.2.840.10008.5.1.4.1.1.88.33")
    content = 0x0040A730
    once = plan.action(0x0040A032, (content,))
    assert plan.action(0x0040A032, (content, content, content, content, content, content, content)) == once


def test_options_state_codes_of_cid_7050() -> None:
    assert [code.value for code in Options().method_codes()] == ["113100"]
    every = Options.of(set(Option) - {Option.RETAIN_LONGITUDINAL_FULL_DATES})
    assert [code.value for code in every.method_codes()] == [
        "113100", "113101", "113102", "113103", "113104", "113105", "113107", "113108", "113109", "113110", "113111",
        "113112",
    ]  # fmt: skip
    assert len({option.code for option in Option}) == 12


@pytest.mark.parametrize("option", Option)
def test_the_code_of_an_option_is_pydicoms(option: Option) -> None:
    from pydicom.sr.codedict import codes

    of_pydicom = {code.value: code.meaning for code in (getattr(codes.cid7050, name) for name in codes.cid7050.dir())}
    assert of_pydicom[option.code.value].casefold() == option.code.meaning.casefold()


def test_dates_are_either_modified_or_kept() -> None:
    with pytest.raises(InputError, match="choose one"):
        Options.of(DATE_OPTIONS)


@pytest.mark.parametrize(
    ("chosen", "stated"),
    [
        (set(), "REMOVED"),
        ({Option.RETAIN_LONGITUDINAL_MODIFIED_DATES}, "MODIFIED"),
        ({Option.RETAIN_LONGITUDINAL_FULL_DATES}, "UNMODIFIED"),
    ],
)
def test_what_is_said_of_dates_is_true(chosen: set[Option], stated: str) -> None:
    assert Options.of(chosen).longitudinal_temporal_information == stated


def test_kinds_of_objects() -> None:
    tails = {
        "2": SopKind.IMAGE, "7": SopKind.IMAGE, "66.4": SopKind.SEGMENTATION, "481.3": SopKind.RT, "481.2": SopKind.RT,
        "88.67": SopKind.STRUCTURED_REPORT, "104.1": SopKind.ENCAPSULATED, "11.1": SopKind.PRESENTATION_STATE,
        "9.1.1": SopKind.WAVEFORM, "66": SopKind.OTHER_KNOWN, "201.1": SopKind.UNKNOWN, "200.1": SopKind.UNKNOWN,
        "6": SopKind.IMAGE, "481.1": SopKind.IMAGE, "481.10": SopKind.RT,
    }  # fmt: skip
    assert {tail: sop_kind(f"1.2.840.10008.5.1.4.1.1.{tail}") for tail in tails} == tails
    for uid in ("", UNKNOWN, "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.38.1", "1.3.12.2.1107.5.9.1"):
        assert sop_kind(uid) is SopKind.UNKNOWN


def test_every_storage_class_of_the_dictionary_has_a_kind_or_is_no_patient_object() -> None:
    standard = pytest.importorskip("highdicom._standard_utils")
    without = {uid for uid in standard.get_sop_class_iod_map() if sop_kind(uid) is SopKind.UNKNOWN}
    assert without == {
        "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1", "1.2.840.10008.5.1.4.43.1",
        "1.2.840.10008.5.1.4.44.1", "1.2.840.10008.5.1.4.45.1", "1.2.840.10008.5.1.4.1.1.200.1",
        "1.2.840.10008.5.1.4.1.1.200.3", "1.2.840.10008.5.1.4.1.1.200.7", "1.2.840.10008.5.1.4.1.1.201.1",
    }  # fmt: skip


def test_safe_private_attributes() -> None:
    assert is_safe_private("SIEMENS MR HEADER", 0x0019100C, "IS")
    assert is_safe_private("SIEMENS MR HEADER", 0x0019FF0C, "IS")
    assert is_safe_private("SIEMENS MR HEADER ", 0x0019120C, "UN")
    assert not is_safe_private("SIEMENS MR HEADER", 0x0019100C, "LO")
    assert not is_safe_private("SIEMENS CSA HEADER", 0x0019100C, "IS")
    assert not is_safe_private("SIEMENS MR HEADER", 0x0029100C, "IS")
    assert not is_safe_private("", 0x0019100C, "IS")


def test_the_vr_of_safe_private_attributes_is_that_of_the_private_dictionary() -> None:
    from pydicom._private_dict import private_dictionaries

    for row in rows_of("safe_private_attributes.tsv"):
        stated = private_dictionaries.get(row["creator"], {}).get(f"{row['group']}xx{row['element']}")
        assert stated is None or stated[0] == row["vr"], row
        assert row["vr"] in {"DS", "IS", "FL", "FD", "CS", "SS", "US", "SL", "LO", "SH"}
        assert int(row["group"], 16) % 2 == 1


def script_module() -> Any:
    spec = importlib.util.spec_from_file_location("make_profile_tables", ROOT / "scripts/make_profile_tables.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("scripts/make_profile_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
