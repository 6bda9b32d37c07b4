"""Volumes of one person's structures at two times, as `cormack segment` wrote them: change per year."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.provenance import package_version
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.files.tables import write_table
from cormack.measure.rate import MeasuredVolume, VolumeRate

COLUMNS = (
    "structure",
    "first_mm3",
    "first_sd_mm3",
    "second_mm3",
    "second_sd_mm3",
    "change_mm3",
    "change_percent",
    "percent_per_year",
    "percent_per_year_sd",
)
#: Less time than this between two scans (years) makes a rate out of noise.
SHORT_YEARS = 0.5
#: Voxels whose longest edges differ by more than this factor make other volumes.
RESOLUTION_RATIO = 1.25


@dataclass(frozen=True)
class VolumeRates:
    """What changed.

    Attributes
    ----------
    years : float
    rates : tuple of VolumeRate
        Structures that both times have.
    findings : tuple of Finding
    """

    years: float
    rates: tuple[VolumeRate, ...]
    findings: tuple[Finding, ...]


def is_segmentation(path: Path) -> bool:
    """True if a file is a label map that `cormack segment` wrote, or its sidecar."""
    return _sidecar(path) is not None


def volume_rates(first: Path, second: Path, out: Path, years: float) -> VolumeRates:
    """Compare two label maps of one task, made of two scans of one person.

    Volumes are those of each scan alone: nothing is aligned or resampled. `out` gets `volumes.tsv` and
    `follow_up.json`.

    Parameters
    ----------
    first, second : Path
        Label maps of `cormack segment` with their JSON beside them, or these JSON files.
    out : Path
        A folder.
    years : float
        From the first scan to the second; no date is kept.

    Raises
    ------
    InputError
        If a file is no segmentation, the tasks differ, no structure is in both, or the time is not positive.
    """
    if years <= 0:
        raise InputError(f"{years:g} years lie between the scans; give the earlier one first")
    check_writable(out)
    sidecars = []
    for path in (first, second):
        check_apart(path, out)
        sidecar = _sidecar(path)
        if sidecar is None:
            raise InputError(f"{path}: no label map of `cormack segment` with its JSON beside it")
        sidecars.append(sidecar)
    one, other = sidecars
    if one["Task"] != other["Task"]:
        raise InputError(f"the first scan was segmented by the task {one['Task']}, the second by {other['Task']}")
    before, after = _volumes(one), _volumes(other)
    names = [name for name in before if name in after]
    if not names:
        raise InputError("no structure was found in both scans: there is nothing to compare")
    rates = tuple(VolumeRate(name, before[name], after[name], years) for name in names)
    made = VolumeRates(years, rates, _findings(one, other, years))
    with OutputSet(out) as outputs:
        rows = [dict(zip(COLUMNS, _row(rate), strict=True)) for rate in rates]
        write_table(outputs.part("volumes.tsv"), COLUMNS, rows, suffix=".tsv")
        outputs.write_text("follow_up.json", to_json(_record(made, one)))
    return made


def _sidecar(path: Path) -> Mapping[str, Any] | None:
    name = path.name.lower()
    ending = next((e for e in (".nii.gz", ".nii", ".json") if name.endswith(e)), None)
    if ending is None or not path.is_file():
        return None
    try:
        content = json.loads(path.with_name(path.name[: -len(ending)] + ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and {"Task", "VolumesMl"} <= set(content) else None


def _volumes(sidecar: Mapping[str, Any]) -> dict[str, MeasuredVolume]:
    """In mm³ with standard deviations where the task gives them, else without."""
    spreads = sidecar.get("ViewsSdMm3", {})
    volumes = sidecar.get("VolumesMm3") or {name: 1000 * ml for name, ml in sidecar["VolumesMl"].items()}
    return {name: MeasuredVolume(float(volume), spreads.get(name)) for name, volume in volumes.items()}


def _findings(one: Mapping[str, Any], other: Mapping[str, Any], years: float) -> tuple[Finding, ...]:
    findings = []
    if years < SHORT_YEARS:
        findings.append(
            Finding(
                "short-interval",
                f"{years:.2f} years lie between the scans: dividing by so short a time makes noise look like a rate",
                {"years": round(years, 3)},
            )
        )
    edges = [max(sidecar.get("VoxelSize") or [0.0]) for sidecar in (one, other)]
    if min(edges) > 0 and max(edges) > RESOLUTION_RATIO * min(edges):
        findings.append(
            Finding(
                "resolution-differs",
                f"voxels of one scan are up to {max(edges):.1f} mm long, of the other {min(edges):.1f} mm: small "
                "structures seem to change",
                {"longest_voxel_edges_mm": edges},
            )
        )
    made = [(sidecar.get("Method"), sidecar.get("GeneratedBy", {}).get("Version")) for sidecar in (one, other)]
    if made[0] != made[1]:
        findings.append(
            Finding(
                "methods-differ",
                "the scans were segmented by different methods or versions: segment both alike before comparing",
                {"methods": [str(method) for method, _ in made], "versions": [str(version) for _, version in made]},
            )
        )
    return tuple(findings)


def _row(rate: VolumeRate) -> tuple[str | None, ...]:
    numbers = (
        (rate.first.volume_mm3, ".1f"),
        (rate.first.sd_mm3, ".1f"),
        (rate.second.volume_mm3, ".1f"),
        (rate.second.sd_mm3, ".1f"),
        (rate.change_mm3, "+.1f"),
        (rate.change_percent, "+.3f"),
        (rate.percent_per_year, "+.3f"),
        (rate.percent_per_year_sd, ".3f"),
    )
    return (rate.name, *(None if value is None else format(value, form) for value, form in numbers))


def _record(made: VolumeRates, sidecar: Mapping[str, Any]) -> dict[str, object]:
    return {
        "GeneratedBy": {"Name": "Cormack", "Version": package_version("cormack")},
        "ResearchUseOnly": True,
        "Task": sidecar["Task"],
        "Years": round(made.years, 4),
        "PercentPerYear": {rate.name: _rounded(rate.percent_per_year) for rate in made.rates},
        "PercentPerYearSd": {rate.name: _rounded(rate.percent_per_year_sd) for rate in made.rates},
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in made.findings],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
