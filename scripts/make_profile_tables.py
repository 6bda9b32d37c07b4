"""Make the tables of src/cormack/dicom/deidentify/data: table E.1-1 of PS3.15, attribute types per IOD, SOP classes.

    python scripts/make_profile_tables.py CONFIDENTIALITY_PROFILE_ATTRIBUTES_JSON [FOLDER]

The JSON states the rows of table E.1-1 (PS3.15 Annex E, early 2025) as extracted by innolitics/dicom-standard. The
attribute types come from the IOD tables (PS3.3) that the package highdicom carries, the names from pydicom's
dictionaries. Only facts are written: tags, codes, types and names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.uid import UID_dictionary

DATA = Path(__file__).resolve().parent.parent / "src" / "cormack" / "dicom" / "deidentify" / "data"

#: Column of the JSON for each option of the command line that table E.1-1 has a column for.
OPTION_COLUMNS = {
    "retain-longitudinal-modified-dates": "rtnLongModifDatesOpt",
    "retain-longitudinal-full-dates": "rtnLongFullDatesOpt",
    "retain-uids": "rtnUIDsOpt",
    "retain-device-identity": "rtnDevIdOpt",
    "retain-institution": "rtnInstIdOpt",
    "retain-patient-characteristics": "rtnPatCharsOpt",
    "retain-safe-private": "rtnSafePrivOpt",
    "clean-descriptors": "cleanDescOpt",
    "clean-structured-content": "cleanStructContOpt",
    "clean-graphics": "cleanGraphOpt",
}

#: Retired storage classes still met in archives, with the class whose IOD they follow.
RETIRED = {
    "1.2.840.10008.5.1.4.1.1.3": "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.5": "1.2.840.10008.5.1.4.1.1.20",
    "1.2.840.10008.5.1.4.1.1.6": "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.12.3": "1.2.840.10008.5.1.4.1.1.12.1",
}

_STORAGE = "1.2.840.10008.5.1.4.1.1."
#: Kind of a SOP class: its own row, else the first row ending in a dot that its UID starts with. Inventories, hanging
#: protocols, colour palettes, implant templates, directories and defined protocols are no patient objects: no kind.
KINDS: dict[str, str] = {
    **dict.fromkeys((_STORAGE + tail for tail in ("66.4", "66.5", "66.7", "66.8")), "segmentation"),
    **dict.fromkeys((_STORAGE + tail for tail in ("481.1", "481.23", "481.24")), "image"),
    **dict.fromkeys(
        (_STORAGE + tail for tail in ("4.2", "66", "67", "77.1.5.3", "80.1", "90.1", "91.1", "200.2", "200.8")),
        "other-known",
    ),
    _STORAGE + "79.1": "structured-report",
    _STORAGE + "131": "presentation-state",
    _STORAGE + "9.100.": "presentation-state",
    _STORAGE + "9.": "waveform",
    _STORAGE + "11.": "presentation-state",
    _STORAGE + "66.": "other-known",
    _STORAGE + "68.": "other-known",
    _STORAGE + "78.": "other-known",
    _STORAGE + "88.": "structured-report",
    _STORAGE + "104.": "encapsulated",
    _STORAGE + "200.": "",
    _STORAGE + "201.": "",
    _STORAGE + "481.": "rt",
    "1.2.840.10008.5.1.4.34.": "rt",
    _STORAGE: "image",
}

Rows = Iterable[tuple[str, ...]]


def profile_rows(attributes: list[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    """Rows of table E.1-1: tag, action code of the basic profile, codes of the options, name."""
    yield ("tag", "basic", *OPTION_COLUMNS, "name")
    for row in sorted(attributes, key=lambda row: row["tag"]):
        codes = (row.get(column, "") for column in OPTION_COLUMNS.values())
        yield (row["tag"], row["basicProfile"], *codes, row["name"].split("\n")[0])


def attribute_type_rows(attributes: list[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    """Rows of the types 1, 1C, 2 and 2C of attributes whose action depends on their type, per module."""
    by_type = {_keyword(row) for row in attributes if _depends_on_type(row["basicProfile"])}
    by_type |= {_keyword(row) for row in attributes if row["basicProfile"] == "Z"}
    modules = get_module_attribute_map()
    used = {module["key"] for iod in _iods().values() for module in get_iod_module_map()[iod]}
    facts = {
        (module, " ".join(attribute["path"]), attribute["keyword"], attribute["type"])
        for module in used & modules.keys()
        for attribute in modules[module]
        if attribute["keyword"] in by_type and attribute["type"] in ("1", "1C", "2", "2C")
    }
    yield ("module", "path", "attribute", "type")
    yield from sorted(facts)


def sop_class_rows(typed_modules: set[str]) -> Iterator[tuple[str, ...]]:
    """Rows of the storage SOP classes of patients: UID, kind, name, modules of the IOD that have typed attributes."""
    yield ("sop_class_uid", "kind", "name", "modules")
    for uid, iod in sorted(_iods().items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        if kind := _kind(uid):
            modules = [module["key"] for module in get_iod_module_map()[iod]]
            name = UID_dictionary[uid][0] if uid in UID_dictionary else iod
            yield (uid, kind, name, " ".join(key for key in modules if key in typed_modules))


def write_tables(attributes: list[dict[str, str]], folder: Path) -> None:
    """Write the three tables."""
    edition = "DICOM PS3.15 Annex E, table E.1-1, early 2025"
    made = "Made by scripts/make_profile_tables.py; do not edit."
    types = list(attribute_type_rows(attributes))
    _write(
        folder / "profile_attributes.tsv",
        f"# {edition}: action codes of the Basic Application Level Confidentiality Profile and of its options.\n"
        f"# Facts by way of innolitics/dicom-standard. {made}\n",
        profile_rows(attributes),
    )
    _write(
        folder / "attribute_types.tsv",
        "# Types 1, 1C, 2 and 2C (PS3.3) of attributes whose action in table E.1-1 depends on their type, by module.\n"
        f"# Path: keywords of the enclosing sequences. Facts by way of highdicom's IOD tables. {made}\n",
        types,
    )
    _write(
        folder / "sop_classes.tsv",
        "# Storage SOP classes that are de-identified, with their kind and the modules of their IOD that\n"
        f"# attribute_types.tsv states something about. Facts by way of highdicom's IOD tables. {made}\n",
        sop_class_rows({row[0] for row in types}),
    )


def _kind(uid: str) -> str:
    own = KINDS.get(uid)
    return own or next((kind for prefix, kind in KINDS.items() if prefix.endswith(".") and uid.startswith(prefix)), "")


def _iods() -> dict[str, str]:
    iods = get_sop_class_iod_map()
    return {**iods, **{retired: iods[successor] for retired, successor in RETIRED.items()}}


def _depends_on_type(code: str) -> bool:
    return "/" in code and not code.endswith("U*")


def _keyword(row: dict[str, Any]) -> str:
    digits = row["tag"].strip("()").replace(",", "")
    keyword = keyword_for_tag(int(digits, 16))
    if tag_for_keyword(keyword) is None:
        raise KeyError(row["tag"])
    return keyword


def _write(path: Path, heading: str, rows: Rows) -> None:
    path.write_text(heading + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    source, *folder = sys.argv[1:]
    write_tables(json.loads(Path(source).read_text(encoding="utf-8")), Path(folder[0]) if folder else DATA)
