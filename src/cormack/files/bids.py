"""BIDS: finding CT scans in a data set, naming derivatives.

BIDS (1.10) has no merged CT modality; `ct` folders and the `_ct` suffix follow its naming of other modalities, and
`.bidsignore` tells validators so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cormack.core.errors import DatasetError, InputError
from cormack.core.provenance import package_version

BIDS_VERSION = "1.10.0"
BIDSIGNORE = "**/ct/\n*.html\n"
_LABEL = re.compile(r"[0-9A-Za-z]+")
_SCAN = re.compile(
    r"(sub-(?P<sub>[0-9A-Za-z]+)(?:_ses-(?P<ses>[0-9A-Za-z]+))?(?:_[a-z]+-[0-9A-Za-z]+)*)_ct\.nii(\.gz)?"
)


@dataclass(frozen=True)
class ScanName:
    """The BIDS name of one scan: `stem` is everything before `_ct`, such as `sub-01_ses-02_run-1`."""

    stem: str
    subject: str
    session: str | None = None

    @property
    def folder(self) -> Path:
        """Folder of the scan's files, relative to the data set."""
        base = Path(f"sub-{self.subject}")
        return (base / f"ses-{self.session}" if self.session else base) / "ct"

    def file(self, suffix: str, extension: str) -> Path:
        """A file of the scan relative to the data set; `suffix` such as `ct` or `desc-brain_mask`."""
        return self.folder / f"{self.stem}_{suffix}{extension}"

    @property
    def report(self) -> Path:
        """The scan's report, relative to the data set."""
        return Path(f"{self.stem}.html")

    @property
    def manifest(self) -> Path:
        """The scan's manifest, relative to the data set."""
        return self.file("manifest", ".json")


@dataclass(frozen=True)
class BidsScan:
    """A CT file of a data set and its name."""

    path: Path
    name: ScanName


def subject_name(label: str) -> ScanName:
    """The name of a subject's only scan; `label` with or without `sub-`.

    Raises
    ------
    InputError
        If the label has other characters than letters and digits (BIDS allows no others).
    """
    plain = label.removeprefix("sub-")
    if not _LABEL.fullmatch(plain):
        raise InputError(f"participant label {label!r}: BIDS allows letters and digits only")
    return ScanName(f"sub-{plain}", plain)


def scan_name(path: Path) -> ScanName | None:
    """The BIDS name that a file carries, or None."""
    match = _SCAN.fullmatch(path.name)
    return ScanName(match[1], match["sub"], match["ses"]) if match else None


def is_dataset(folder: Path) -> bool:
    """True if a folder is a BIDS data set: it has a description, or subjects with a CT."""
    if not folder.is_dir():
        return False
    return (folder / "dataset_description.json").is_file() or next(_candidates(folder), None) is not None


def _candidates(root: Path) -> Iterator[Path]:
    for pattern in ("sub-*/ct/*_ct.nii*", "sub-*/ses-*/ct/*_ct.nii*"):
        yield from root.glob(pattern)


def find_scans(root: Path, participants: Iterable[str] = ()) -> tuple[BidsScan, ...]:
    """All CT scans of a data set, in order of their names; derivatives are left out.

    Parameters
    ----------
    root : Path
    participants : iterable of str
        Labels with or without `sub-`; all if empty.

    Raises
    ------
    DatasetError
        If there is no CT, or a participant that was asked for has none.
    """
    wanted = {subject_name(label).subject for label in participants}
    found = []
    for path in sorted(_candidates(root)):
        name = scan_name(path)
        if name and path.is_file() and path.relative_to(root).parent == name.folder:
            found.append(BidsScan(path, name))
    if not found:
        raise DatasetError(f"{root}: a BIDS data set without a CT (no sub-*/[ses-*/]ct/*_ct.nii.gz)")
    missing = sorted(wanted - {scan.name.subject for scan in found})
    if missing:
        known = ", ".join(sorted({scan.name.subject for scan in found}))
        raise DatasetError(f"{root}: no CT for participant {', '.join(missing)}; there are {known}")
    return tuple(scan for scan in found if not wanted or scan.name.subject in wanted)


def dataset_description() -> str:
    """`dataset_description.json` of the derivatives, as text."""
    return (
        json.dumps(
            {
                "Name": "Cormack derivatives",
                "BIDSVersion": BIDS_VERSION,
                "DatasetType": "derivative",
                "GeneratedBy": [
                    {
                        "Name": "Cormack",
                        "Version": package_version("cormack"),
                        "Description": "Head CT: rectified volume, masks, volumes, report. Research use only.",
                    }
                ],
            },
            indent=2,
        )
        + "\n"
    )
