"""Which series is the volume to work on: a table of rules, and one plain sentence for each choice and rejection."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from cormack.core.errors import DicomError, SeriesError
from cormack.core.findings import Finding
from cormack.dicom.criteria import PREFERENCES, REJECTIONS, Candidate, Look
from cormack.dicom.inventory import Inventory, SeriesEntry
from cormack.dicom.rules import DEFAULT_RULES, SelectionRules

__all__ = ["DEFAULT_RULES", "PREFERENCES", "REJECTIONS", "Selection", "SelectionRules", "Verdict", "select_series"]


@dataclass(frozen=True)
class Verdict:
    """What became of a series and why, in one line without anything of a person.

    `look` is what its images show, where they were looked at.
    """

    entry: SeriesEntry
    chosen: bool
    code: str
    reason: str
    look: Look = field(default_factory=Look)

    @property
    def contrast_by(self) -> str | None:
        """What tells of a contrast medium: `header`, `description` or `image`; None if none of them."""
        return Candidate(self.entry, self.look).contrast_by

    def __str__(self) -> str:
        return f"{self.entry.label}: {'chosen' if self.chosen else 'not used'}, {self.reason}"


@dataclass(frozen=True)
class Selection:
    """The chosen series, the verdict on every series, and what the report should warn of."""

    entry: SeriesEntry
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def reason(self) -> str:
        """Why the chosen series was chosen."""
        return next(v.reason for v in self.verdicts if v.chosen)


#: Preferences that the images decide.
_BY_IMAGE = frozenset({"head-in-image", "whole-head", "no-contrast"})
#: What a series may lack of the head, in words.
_ENDS = {
    ("vertex",): "the vertex is not in the image",
    ("base",): "the base of the skull is not in the image",
    ("vertex", "base"): "neither vertex nor base of the skull is in the image",
}


def select_series(
    inventory: Inventory,
    series: int | str | None = None,
    *,
    rules: SelectionRules = DEFAULT_RULES,
    look: bool = True,
) -> Selection:
    """Choose the volume to work on among all series.

    Parameters
    ----------
    inventory : Inventory
    series : int or str, optional
        SeriesNumber or SeriesInstanceUID: take this one, whatever the preferences say.
    rules : SelectionRules
    look : bool
        Where several series remain after the rules on headers, look into a few images of each (the source must be
        open): is there a head, and are vessels filled? False to judge by headers alone.

    Raises
    ------
    SeriesError
        If no series is a volume, volumes of several patients lie side by side, or `series` does not name exactly one.
    """
    wanted = _named(inventory, series) if series is not None else set(range(len(inventory.series)))
    verdicts: dict[int, Verdict] = {}
    candidates: list[int] = []
    for index, entry in enumerate(inventory.series):
        refused = _rejection(entry, rules, overruled=series is not None and index in wanted)
        if refused is not None:
            verdicts[index] = Verdict(entry, False, *refused)
        elif index not in wanted:
            verdicts[index] = Verdict(entry, False, "not-asked-for", "another series was asked for")
        else:
            candidates.append(index)
    if not candidates:
        refused_all = [verdicts[i] for i in sorted(verdicts)]
        damaged = _damaged(refused_all, rules)
        raise DicomError(damaged) if damaged else SeriesError(_none(inventory, refused_all, series, rules))
    entries = {i: inventory.series[i] for i in candidates}
    _set_strays_aside(entries, verdicts, rules)
    ranked = _ranked({i: Candidate(entry) for i, entry in entries.items()}, rules)
    if look and len(ranked) > 1 and not _BY_IMAGE.isdisjoint(rules.preferences):
        ranked = _ranked(_looked_at(ranked), rules)
    (index, best), *others = ranked.items()
    for other, candidate in others:
        verdicts[other] = Verdict(candidate.entry, False, *_worse(best, candidate, rules), candidate.look)
    verdicts[index] = Verdict(
        best.entry, True, "chosen", _praise(list(ranked.values()), rules, asked=series is not None), best.look
    )
    for other, verdict in verdicts.items():
        if verdict.entry.patient != best.entry.patient and verdict.code != "stray":
            verdicts[other] = replace(verdict, reason=f"{verdict.reason}; of another patient")
    return Selection(best.entry, tuple(verdicts[i] for i in sorted(verdicts)), _findings(verdicts, best.entry))


def _ranked(candidates: dict[int, Candidate], rules: SelectionRules) -> dict[int, Candidate]:
    """Candidates in order, the best first."""
    return dict(sorted(candidates.items(), key=lambda pair: _rank(pair[1], rules)))


def _looked_at(ranked: dict[int, Candidate]) -> dict[int, Candidate]:
    """Candidates with what their images show."""
    # Imported here: a lone candidate, and a listing by headers alone, need no image processing.
    from cormack.dicom.look import look_at

    looks = look_at([candidate.entry for candidate in ranked.values()])
    return {i: replace(candidate, look=look) for (i, candidate), look in zip(ranked.items(), looks, strict=True)}


def _worse(best: Candidate, other: Candidate, rules: SelectionRules) -> tuple[str, str]:
    """Code and reason of a candidate that was not chosen."""
    if best.look.head and other.look.head is False and "head-in-image" in rules.preferences:
        return "no-head", f"no skull in the image; {best.entry.label} was preferred"
    told = {"description": ", by the description", "image": ", by the vessels in the image"}.get(
        other.contrast_by or ""
    )
    name, why = _difference(best, other, rules)
    if name == "whole-head":
        return "partial-head", f"{_ENDS[other.look.missing or ()]}; {best.entry.label} was preferred"
    by = told if told and name == "no-contrast" else ""
    return "less-suitable", f"{best.entry.label} was preferred: {why}{by}"


def _rejection(entry: SeriesEntry, rules: SelectionRules, *, overruled: bool) -> tuple[str, str] | None:
    for code, test, may_overrule in REJECTIONS:
        if overruled and may_overrule:
            continue
        reason = test(entry, rules)
        if reason is not None:
            return code, reason
    return None


def _named(inventory: Inventory, series: int | str) -> set[int]:
    """Entries that `series` names: a UID names one series, a number may name several of several studies."""
    asked = str(series).strip()
    if asked.isascii() and asked.isdigit():
        asked = str(int(asked[:64]))
    found = {i for i, entry in enumerate(inventory.series) if asked == entry.first.series_uid}
    if not found:
        found = {
            i for i, entry in enumerate(inventory.series) if entry.number is not None and asked == str(entry.number)
        }
    if not found:
        known = ", ".join(
            sorted({str(e.number) for e in inventory.series if e.number is not None}, key=lambda n: (len(n), n))
        )
        given = f"series number {asked}" if len(asked) < 12 and asked.lstrip("-").isdigit() else "the series asked for"
        raise SeriesError(f"{given} is not here; the series numbers found are: {known or 'none'}")
    owners = {(inventory.series[i].patient, inventory.series[i].study) for i in found}
    if len(owners) > 1:
        raise SeriesError(
            f"series number {asked} exists in {len(owners)} studies; give the SeriesInstanceUID of the one meant"
        )
    return found


def _set_strays_aside(entries: dict[int, SeriesEntry], verdicts: dict[int, Verdict], rules: SelectionRules) -> None:
    """Volumes of one patient stay; stray slices of another are told; two full volumes of two patients are refused."""
    largest = max(entries, key=lambda i: entries[i].n_slices)
    patient, most = entries[largest].patient, entries[largest].n_slices
    others = {i for i, entry in entries.items() if entry.patient != patient}
    full = [i for i in others if entries[i].n_slices >= max(rules.min_slices, rules.stray_share * most)]
    if full:
        n = 1 + len({entries[i].patient for i in full})
        raise SeriesError(
            f"slices of {'two' if n == 2 else n} patients lie here side by side, each enough for a volume "
            f"({entries[largest].label}, {entries[full[0]].label}); "
            "give one patient's folder, or choose with the SeriesInstanceUID"
        )
    for index in others:
        verdicts[index] = Verdict(entries.pop(index), False, "stray", "holds stray slices of another patient")


def _rank(candidate: Candidate, rules: SelectionRules) -> list[float]:
    return [PREFERENCES[name][0](candidate, rules) for name in rules.preferences]


def _difference(best: Candidate, other: Candidate, rules: SelectionRules) -> tuple[str, str]:
    """Name of the preference that decided, and why the winner won."""
    for name, mine, theirs in zip(rules.preferences, _rank(best, rules), _rank(other, rules), strict=True):
        if mine < theirs:
            return name, PREFERENCES[name][1]
    return "", "it came first"


def _praise(ranked: list[Candidate], rules: SelectionRules, *, asked: bool) -> str:
    entry = ranked[0].entry
    geometry = entry.geometry
    facts = (
        f"{geometry.plane} {entry.modality}, {entry.n_slices} slices over {geometry.extent_mm:.0f} mm"
        if geometry
        else ""
    )
    kernel = "" if entry.kernel_class is None else f", {entry.kernel_class.value} kernel"
    if asked:
        why = "it was asked for"
    elif len(ranked) == 1:
        why = "the only volume here"
    else:
        why = f"of {len(ranked)} volumes, {_difference(ranked[0], ranked[1], rules)[1]}"
    return f"{facts}{kernel}; {why}"


def _damaged(verdicts: list[Verdict], rules: SelectionRules) -> str | None:
    """What to say where there might be a volume, were its files not damaged; None where that is not the cause."""
    broken: Counter[str] = Counter()
    whole = 0
    for verdict in verdicts:
        if verdict.entry.modality == rules.modality and verdict.entry.left_out and not verdict.entry.is_localizer:
            broken.update(verdict.entry.left_out)
            whole += 0 if verdict.entry.broken else len(verdict.entry.instances)
    if sum(broken.values()) + whole < rules.min_slices:
        return None
    reasons = ", ".join(f"{n} x {reason}" for reason, n in sorted(broken.items()))
    return (
        f"{sum(broken.values())} of {sum(broken.values()) + whole} files that could make a volume are damaged "
        f"({reasons}); at least {rules.min_slices} whole slices are needed; copy the files again"
    )


def _none(inventory: Inventory, verdicts: list[Verdict], series: int | str | None, rules: SelectionRules) -> str:
    """Why there is nothing to choose, most telling case first."""
    if series is not None:
        asked = [v for v in verdicts if v.code != "not-asked-for"]
        named = _named(inventory, series)
        reasons = "; ".join(str(v) for v in asked if any(inventory.series[i] is v.entry for i in named))
        return f"the series asked for cannot be used: {reasons}"
    codes = Counter(v.code for v in verdicts)
    if set(codes) == {"localizer"}:
        count = sum(len(v.entry.instances) for v in verdicts)
        return f"only localizers (scouts) were found, {count} in all; expected a volume of {rules.modality}"
    listed = "; ".join(f"{v.entry.label} {v.reason}" for v in verdicts[:8])
    more = f"; and {len(verdicts) - 8} more" if len(verdicts) > 8 else ""
    # What is asked for an MR has no use for a CT; a CT's way reads an MR, too, as `cormack convert` does.
    mr = rules.modality == "CT" and any(v.code == "other-modality" and v.entry.modality == "MR" for v in verdicts)
    hint = "; to read MR all the same, ask for its series" if mr else ""
    return f"no series here is a volume of {rules.modality}: {listed}{more}{hint}"


def _findings(verdicts: dict[int, Verdict], chosen: SeriesEntry) -> tuple[Finding, ...]:
    strangers = [v.entry for v in verdicts.values() if v.entry.patient != chosen.patient]
    if not strangers:
        return ()
    images, patients = sum(len(entry.instances) for entry in strangers), len({e.patient for e in strangers})
    lie = ("lies" if images == 1 else "lie") + " among the files; not used"
    whose = "another patient" if patients == 1 else f"{patients} other patients"
    return (
        Finding(
            "stray-slices",
            f"{images} image{'s' if images != 1 else ''} of {whose} {lie}",
            {"images": images, "patients": patients},
        ),
    )
