"""Which series is the head CT volume: a table of rules, and one plain sentence for each choice and rejection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from cormack.core.errors import DicomError, SeriesError
from cormack.core.findings import Finding
from cormack.core.kernels import KernelClass
from cormack.dicom.instance import SECONDARY_CAPTURE
from cormack.dicom.inventory import Inventory, SeriesEntry
from cormack.dicom.rules import DEFAULT_RULES, SelectionRules

__all__ = ["DEFAULT_RULES", "PREFERENCES", "REJECTIONS", "Selection", "SelectionRules", "Verdict", "select_series"]


@dataclass(frozen=True)
class Verdict:
    """What became of a series and why, in one line without anything of a person."""

    entry: SeriesEntry
    chosen: bool
    code: str
    reason: str

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


Test = Callable[[SeriesEntry, SelectionRules], str | None]


def _no_images(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.broken:
        return f"its images cannot be used: {entry.broken}"
    return None if entry.first.has_pixels else f"holds no images ({entry.modality})"


def _other_modality(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    return None if entry.modality == rules.modality else f"is {entry.modality}, not {rules.modality}"


def _capture(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.first.sop_class.startswith(SECONDARY_CAPTURE) or "SCREEN SAVE" in entry.image_type:
        return "is a screen capture or dose page"
    return "holds colour images" if entry.first.samples != 1 else None


def _other_values(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    kind = entry.first.rescale_type
    if entry.modality != "CT" or kind is None or kind.startswith(("HU", "US")):
        return None
    return "holds other values than Hounsfield units, by its RescaleType"


def _localizer(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.is_localizer:
        return "is a localizer (scout)"
    geometry = entry.geometry
    if geometry is not None and geometry.plane != "axial" and len(entry.instances) <= rules.scout_slices:
        return f"is a localizer (scout) by its {geometry.plane} plane and few images"
    return None


def _no_geometry(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    return f"makes no stack: {entry.geometry_problem}" if entry.geometry_problem else None


def _too_few(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.n_slices >= rules.min_slices:
        return None
    words = "one slice" if entry.n_slices == 1 else f"{entry.n_slices} slices"
    return f"has {words} only; a volume needs at least {rules.min_slices}"


def _other_part(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    part = entry.first.body_part
    if part in rules.other_parts and entry.field_of_view_mm > rules.wide_mm:
        return f"shows another body part ({part.lower()}) by its header and its wide field of view"
    return None


#: Tried from top to bottom; the first that speaks rejects. The third column: may the user overrule it with `series`?
REJECTIONS: tuple[tuple[str, Test, bool], ...] = (
    ("no-images", _no_images, False),
    ("other-modality", _other_modality, True),
    ("secondary-capture", _capture, True),
    ("localizer", _localizer, True),
    ("other-values", _other_values, True),
    ("no-geometry", _no_geometry, False),
    ("too-few-slices", _too_few, False),
    ("other-body-part", _other_part, True),
)

_KERNEL_RANK = {KernelClass.SOFT: 0, None: 1, KernelClass.MEDIUM: 1, KernelClass.SHARP: 2}

Preference = Callable[[SeriesEntry, SelectionRules], float]


def _extent(entry: SeriesEntry) -> float:
    return entry.geometry.extent_mm if entry.geometry else 0.0


def _spacing(entry: SeriesEntry, rules: SelectionRules) -> float:
    spacing = (entry.geometry.spacing_mm if entry.geometry else None) or 1e3
    return max(rules.thin_mm, spacing, entry.thickness_mm or 0.0)


#: By name: what is better is smaller, and why the winner won. The rules say which names count, and in which order.
PREFERENCES: dict[str, tuple[Preference, str]] = {
    "enough-coverage": (lambda e, r: max(0.0, round(r.min_extent_mm - _extent(e), -1)), "it covers more of the head"),
    "head-sized": (lambda e, r: float(e.field_of_view_mm > r.wide_mm), "its field of view is that of a head"),
    "axial": (lambda e, r: float(e.geometry is None or e.geometry.plane != "axial"), "its slices are axial"),
    "original": (lambda e, r: float("DERIVED" in e.image_type), "it is original, not derived"),
    "magnitude": (lambda e, r: float(e.component not in (None, "magnitude")), "its values are magnitudes"),
    "softer-kernel": (lambda e, r: float(_KERNEL_RANK[e.kernel_class]), "its kernel is softer"),
    "thinner": (lambda e, r: round(_spacing(e, r), 1), "its slices are thinner"),
    "coverage": (lambda e, r: -round(_extent(e), -1), "it covers more of the head"),
    "no-contrast": (lambda e, r: float(e.contrast), "it was made without contrast agent"),
    "more-slices": (lambda e, r: -float(e.n_slices), "it has more slices"),
    "number": (lambda e, r: float(e.number if e.number is not None else 1e9), "it has the lower series number"),
    "part": (lambda e, r: float(e.part), "it is the larger part"),
}


def select_series(
    inventory: Inventory, series: int | str | None = None, *, rules: SelectionRules = DEFAULT_RULES
) -> Selection:
    """Choose the head CT volume among all series.

    Parameters
    ----------
    inventory : Inventory
    series : int or str, optional
        SeriesNumber or SeriesInstanceUID: take this one, whatever the preferences say.
    rules : SelectionRules

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
        raise DicomError(damaged) if damaged else SeriesError(_none(inventory, refused_all, series))
    entries = {i: inventory.series[i] for i in candidates}
    _set_strays_aside(entries, verdicts, rules)
    ranked = sorted(entries, key=lambda i: _rank(entries[i], rules))
    best = ranked[0]
    for index in ranked[1:]:
        why = _difference(entries[best], entries[index], rules)
        verdicts[index] = Verdict(entries[index], False, "less-suitable", f"{entries[best].label} was preferred: {why}")
    for index, verdict in verdicts.items():
        if verdict.entry.patient != entries[best].patient and verdict.code != "stray":
            verdicts[index] = replace(verdict, reason=f"{verdict.reason}; of another patient")
    verdicts[best] = Verdict(entries[best], True, "chosen", _praise(entries, ranked, rules, asked=series is not None))
    return Selection(entries[best], tuple(verdicts[i] for i in sorted(verdicts)), _findings(verdicts, entries[best]))


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


def _rank(entry: SeriesEntry, rules: SelectionRules) -> list[float]:
    return [PREFERENCES[name][0](entry, rules) for name in rules.preferences]


def _difference(best: SeriesEntry, other: SeriesEntry, rules: SelectionRules) -> str:
    for name, mine, theirs in zip(rules.preferences, _rank(best, rules), _rank(other, rules), strict=True):
        if mine < theirs:
            return PREFERENCES[name][1]
    return "it came first"


def _praise(entries: dict[int, SeriesEntry], ranked: list[int], rules: SelectionRules, *, asked: bool) -> str:
    entry = entries[ranked[0]]
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
        why = f"of {len(ranked)} volumes, {_difference(entry, entries[ranked[1]], rules)}"
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


def _none(inventory: Inventory, verdicts: list[Verdict], series: int | str | None) -> str:
    """Why there is nothing to choose, most telling case first."""
    if series is not None:
        asked = [v for v in verdicts if v.code != "not-asked-for"]
        named = _named(inventory, series)
        reasons = "; ".join(str(v) for v in asked if any(inventory.series[i] is v.entry for i in named))
        return f"the series asked for cannot be used: {reasons}"
    codes = Counter(v.code for v in verdicts)
    if set(codes) == {"localizer"}:
        count = sum(len(v.entry.instances) for v in verdicts)
        return f"only localizers (scouts) were found, {count} in all; expected a head CT volume"
    listed = "; ".join(f"{v.entry.label} {v.reason}" for v in verdicts[:8])
    more = f"; and {len(verdicts) - 8} more" if len(verdicts) > 8 else ""
    return f"no series here is a head CT volume: {listed}{more}"


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
