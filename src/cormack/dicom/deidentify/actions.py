"""What to do with an attribute: table E.1-1 under the chosen options, for one kind of object.

Where a row is listed under several chosen options that disagree, the one that changes more holds (C before K), because
each chosen option's demands must be met (PS3.15 E.3): a calibration date is device identity (K), but under modified
dates it is shifted (C), or the shift of all other dates could be read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.profile import ProfileRow, curve_row, is_curve, is_private, private_row, profile_rows
from cormack.dicom.deidentify.sop_classes import Path, outer_path, required_attributes


class Action(StrEnum):
    """Action codes of PS3.15 table E.1-1a.

    Sequences: X removes it, Z leaves it without items; K, C and U keep its items and treat each attribute in them by
    its own row (E.1.1 requires this for K); D keeps the items too, with every attribute that no row lists replaced by a
    dummy, so that the sequence stays valid and says nothing.
    """

    REMOVE = "X"
    ZERO = "Z"
    DUMMY = "D"
    UID = "U"
    KEEP = "K"
    CLEAN = "C"


class Resolver:
    """The action for each attribute of objects of one SOP class under chosen options.

    Combined codes are resolved by the attribute's type in the IOD at its place (table E.1-1a): what must have a value
    (type 1, 1C) gets a dummy; what must be there (2, 2C) is emptied; what need not be is removed. A code Z allows a
    dummy value, hence type 1 gets one under X/Z and Z too. X/D offers no empty value, hence type 2 gets the dummy.
    X/Z/U* keeps the sequence with its UIDs replaced, so that references between objects survive. Without an IOD,
    as for unknown SOP classes, the action that keeps any IOD valid is taken: D, else Z, else X.

    Private attributes under `retain-safe-private` are CLEAN: kept only if `safe_private.is_safe_private` says so.
    """

    def __init__(self, options: Options, sop_class_uid: str) -> None:
        table = _profile_under(options)
        self._fixed = table.fixed
        self._curve = table.curve
        self._private = table.private
        self._by_type = table.by_type
        self._required = required_attributes(sop_class_uid)

    def action(self, tag: int, path: Path = ()) -> Action | None:
        """Give the action for an attribute, None where the table does not list it.

        Parameters
        ----------
        tag
            Group and element as one number.
        path
            Tags of the enclosing sequences, outermost first.

        """
        fixed = self._fixed.get(tag)
        if fixed is not None:
            return fixed
        codes = self._by_type.get(tag)
        if codes is not None:
            return self._action_by_type(codes, tag, path)
        if is_private(tag):
            return self._private
        return self._curve if is_curve(tag) else None

    def _action_by_type(self, codes: str, tag: int, path: Path) -> Action:
        if self._required is None:
            return _first_offered(codes, (Action.DUMMY, Action.ZERO, Action.REMOVE))
        attribute_type = self._required.get((outer_path(path), tag), "3")
        if attribute_type in ("1", "1C"):
            return Action.DUMMY
        if attribute_type in ("2", "2C"):
            return _first_offered(codes, (Action.ZERO, Action.DUMMY))
        return _first_offered(codes, (Action.REMOVE, Action.ZERO, Action.DUMMY))


@cache
def resolver_for(options: Options, sop_class_uid: str) -> Resolver:
    """Give the resolver of a SOP class, one for all its objects."""
    return Resolver(options, sop_class_uid)


class _ProfileUnderOptions:
    """Table E.1-1 after the options: actions that hold everywhere, and codes that depend on the attribute's type."""

    def __init__(self, options: Options) -> None:
        fixed: dict[int, Action] = {}
        by_type: dict[int, str] = {}
        for row in profile_rows():
            code = _code_under(row, options)
            for tag in row.tags():
                if _depends_on_type(code):
                    by_type[tag] = code
                else:
                    fixed[tag] = _single_action(code)
        self.fixed: Mapping[int, Action] = fixed
        self.by_type: Mapping[int, str] = by_type
        self.curve = _single_action(_code_under(curve_row(), options))
        self.private = _single_action(_code_under(private_row(), options))


@cache
def _profile_under(options: Options) -> _ProfileUnderOptions:
    return _ProfileUnderOptions(options)


def _code_under(row: ProfileRow, options: Options) -> str:
    stated = {code for option, code in row.by_option.items() if option in options}
    return min(stated, default=row.basic)


def _depends_on_type(code: str) -> bool:
    return code == Action.ZERO or ("/" in code and not code.endswith("*"))


def _single_action(code: str) -> Action:
    return Action.UID if code.endswith("U*") else Action(code)


def _first_offered(codes: str, preferred: tuple[Action, ...]) -> Action:
    return next(action for action in preferred if action in codes.split("/"))
