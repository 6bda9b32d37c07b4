"""The façade, its table of homes, and the reference page say the same."""

from __future__ import annotations

import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import cormack

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PAGE = PROJECT_ROOT / "docs" / "reference" / "python-api.md"


def test_names_are_sorted_and_unique() -> None:
    assert cormack.__all__ == sorted(set(cormack.__all__))
    assert dir(cormack) == cormack.__all__


def test_no_name_is_also_a_room() -> None:
    # Importing a room sets it as an attribute of the package and would hide the name.
    rooms = {m.name for m in pkgutil.iter_modules(cormack.__path__)}
    assert rooms.isdisjoint(cormack.__all__)


def test_reference_page_shows_every_name_from_its_home() -> None:
    shown = re.findall(r"^::: (cormack\.[\w.]+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    homes = [f"cormack.{cormack._HOMES[name]}.{name}" for name in cormack.__all__]
    assert sorted(shown) == sorted(homes)


def test_static_imports_match_the_table_of_homes() -> None:
    source = inspect.getsource(cormack)
    block = source[source.index("if TYPE_CHECKING:") : source.index("_HOMES = ")]
    stated = {
        name.strip(): module
        for module, names in re.findall(r"from cormack\.([\w.]+) import (.+)", block)
        for name in names.split(",")
    }
    assert stated == cormack._HOMES


@pytest.mark.parametrize("name", cormack.__all__)
def test_name_resolves_and_is_documented(name: str) -> None:
    thing: Any = getattr(cormack, name)
    assert thing.__name__ == name
    assert inspect.getdoc(thing)
    assert thing.__module__ == f"cormack.{cormack._HOMES[name]}"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cormack.nonsense  # type: ignore[attr-defined]
