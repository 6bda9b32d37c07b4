"""Tables of TOML to frozen dataclasses and back: every key known, every value of the right kind."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cormack.core.errors import ConfigurationError

Options = TypeVar("Options")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}") from error


def from_table(kind: type[Options], table: Mapping[str, Any], where: str) -> Options:
    """A frozen dataclass from a table; keys that are not given keep their defaults.

    Parameters
    ----------
    kind : type
        The dataclass; its fields are the known keys.
    table : mapping
    where : str
        Name of the table, for messages.

    Raises
    ------
    ConfigurationError
        If a key is unknown (with the nearest known one), missing without a default, or its value is of another kind.
    """
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    check_keys(table, known, where)
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigurationError(f"[{where}]: {name} is missing")
    return kind(**{key: _converted(value, hints[key], f"{where}.{key}") for key, value in table.items()})


def check_keys(table: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse keys that no one knows, naming the nearest known one.

    Raises
    ------
    ConfigurationError
    """
    names = sorted(known)
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(names)}"
            raise ConfigurationError(f"[{where}] has the unknown key {key!r}; {hint}")


def _converted(value: Any, hint: Any, where: str) -> Any:
    """A value of TOML as the type of a field."""
    origin = get_origin(hint)
    if origin in (UnionType, Union):
        return _converted(value, next(part for part in get_args(hint) if part is not NoneType), where)
    if origin is tuple and isinstance(value, list):
        parts = get_args(hint)
        if len(parts) == 2 and parts[1] is ...:
            return tuple(_converted(v, parts[0], where) for v in value)
        if len(parts) == len(value):
            return tuple(_converted(v, part, where) for v, part in zip(value, parts, strict=True))
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return value
    elif is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_table(hint, value, where)
    elif hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif hint is Any or (isinstance(hint, type) and type(value) is hint):
        return value
    expected = getattr(hint, "__name__", str(hint)) if origin is None else str(hint)
    raise ConfigurationError(f"{where} is {value!r}; expected is a value of the kind {expected}")


def to_toml(table: Mapping[str, Any]) -> str:
    """Plain values, lists and nested tables as TOML 1.0 text; values of None are left out.

    >>> print(to_toml({"name": "ct-brain", "input": {"spacing_mm": [2.0, 2.0]}}), end="")
    name = "ct-brain"
    <BLANKLINE>
    [input]
    spacing_mm = [2.0, 2.0]
    """
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    lines = [] if not place else ["", f"[{'.'.join(map(_key, place))}]"]
    nested = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines += [f"{_key(k)} = {_value(v)}" for k, v in table.items() if k not in nested and v is not None]
    for key, value in nested.items():
        lines += _lines(value, (*place, key))
    return lines


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    # JSON and TOML write strings and finite numbers alike; DEL is the one character that only JSON leaves bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
