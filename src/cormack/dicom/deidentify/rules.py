"""The rule for an attribute at one place: from table E.1-1, the options, and what the standard's dictionary says."""

from __future__ import annotations

from dataclasses import dataclass

from cormack.dicom.deidentify.actions import Action, resolver_for
from cormack.dicom.deidentify.bulk import BULK
from cormack.dicom.deidentify.character_set import CHARACTER_SET, CharacterSet
from cormack.dicom.deidentify.dictionary import agreed_vr, stated_vrs
from cormack.dicom.deidentify.encoding import Encoding
from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.values import Manner, Transform, ValueCleaner
from cormack.dicom.deidentify.vrs import TEXT_VRS

#: Not in table E.1-1, and of no use or no truth in the output: length to end, encrypted originals.
_NEVER_KEPT = frozenset({0x00080001, 0x04000500})


@dataclass(frozen=True)
class Place:
    """Where attributes stand.

    Parameters
    ----------
    sop_class : str
        Kind of the object.
    encoding : Encoding
        How it is written.
    character_set : CharacterSet
        Of the data set around them.
    path : tuple of int
        Enclosing sequences, outermost first.
    dummies : bool
        Within a sequence that stays for its validity alone.
    public_code : bool
        In a code of a public coding scheme.
    """

    sop_class: str
    encoding: Encoding
    character_set: CharacterSet
    path: tuple[int, ...] = ()
    dummies: bool = False
    public_code: bool = False


@dataclass(frozen=True)
class Rule:
    """How one attribute is treated at one place.

    Parameters
    ----------
    vr : str
        As which it is written.
    transform : Transform or None
        Gives what of the value may stay; None if nothing may.
    otherwise : Action
        What is done if the value may not stay; of a sequence, what is done with it.
    """

    vr: str
    transform: Transform | None
    otherwise: Action


class RuleBook:
    """The rules of one place, made when they are first asked for.

    Parameters
    ----------
    place : Place
    options : Options
    values : ValueCleaner
        For the place's character set.
    """

    def __init__(self, place: Place, options: Options, values: ValueCleaner) -> None:
        self.place, self._values = place, values
        self._resolver = resolver_for(options, place.sop_class)
        self._basic = resolver_for(Options(), place.sop_class)
        self._rules: dict[tuple[int, str | None], Rule | None] = {}

    def rule(self, tag: int, found: str | None) -> Rule | None:
        """The rule of a public attribute, None if it is dropped; `found` is its VR, None where none was written."""
        key = (tag, found)
        if key not in self._rules:
            self._rules[key] = self._make(tag, found)
        return self._rules[key]

    def keeps_private(self, tag: int) -> bool:
        """True if private attributes stay where they are known to be safe."""
        kept = self._resolver.action(tag, self.place.path) in (Action.CLEAN, Action.KEEP)
        return kept and not self.place.dummies

    def _make(self, tag: int, found: str | None) -> Rule | None:
        group = tag >> 16
        if group < 8 or not tag & 0xFFFF or tag in _NEVER_KEPT or group >> 8 == 0x60 or not stated_vrs(tag):
            # A picture in an overlay may show anything, and its other attributes mean nothing without it.
            return None
        action = self._resolver.action(tag, self.place.path)
        if action is Action.REMOVE:
            return None
        vr = agreed_vr(tag, found)
        if "SQ" in stated_vrs(tag):
            return Rule("SQ", None, action or Action.KEEP) if vr == "SQ" else None
        if tag == CHARACTER_SET:
            known = bool(self.place.character_set.terms)
            return Rule("CS", lambda value: value if known else None, Action.REMOVE)
        if action is Action.UID:
            return Rule(vr or "UI", self._values.mapped_uids, Action.REMOVE)
        if action in (Action.ZERO, Action.DUMMY):
            return Rule(vr or stated_vrs(tag)[0], None, action)
        return self._keeping(tag, vr, action)

    def _keeping(self, tag: int, vr: str | None, action: Action | None) -> Rule | None:
        """The rule of an attribute whose value may stay; what the basic profile says of it holds if it may not."""
        if tag in BULK:
            return None if vr is None else Rule(vr, lambda value: value, Action.REMOVE)
        if action is None and self.place.dummies and vr not in ("CS", "UI"):
            return Rule(vr or stated_vrs(tag)[0], None, Action.DUMMY)
        basic = self._basic.action(tag, self.place.path)
        otherwise = Action.ZERO if basic is None or basic is Action.KEEP else basic
        if vr is None:
            return None if otherwise is Action.REMOVE else Rule(stated_vrs(tag)[0], None, otherwise)
        manner = {Action.KEEP: Manner.KEEP, Action.CLEAN: Manner.CLEAN, None: Manner.UNLISTED}[action]
        transform = self._values.transform(tag, vr, manner, public_code=self.place.public_code)
        if transform is None and otherwise is Action.ZERO and vr not in TEXT_VRS:
            return None
        return Rule(vr, transform, otherwise)
