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
#: Folder of a modality's scans and the suffix of their names.
DATATYPES = {"CT": ("ct", "ct"), "MR": ("anat", "T1w")}
_SCAN = re.compile(
    r"(sub-(?P<sub>[0-9A-Za-z]+)(?:_ses-(?P<ses>[0-9A-Za-z]+))?(?:_[a-z]+-[0-9A-Za-z]+)*)_(?P<suffix>ct|T1w)"
    r"\.nii(\.gz)?"
)


@dataclass(frozen=True)
class ScanName:
    """The BIDS name of one scan: `stem` is everything before its suffix, such as `sub-01_ses-02_run-1`."""

    stem: str
    subject: str
    session: str | None = None
    modality: str = "CT"

    @property
    def suffix(self) -> str:
        """What ends the names of images: ct or T1w."""
        return DATATYPES[self.modality][1]

    @property
    def title(self) -> str:
        """What the scan is called among others: its stem, with the suffix of an MR."""
        return self.stem if self.modality == "CT" else f"{self.stem}_{self.suffix}"

    @property
    def folder(self) -> Path:
        """Folder of the scan's files, relative to the data set."""
        base = Path(f"sub-{self.subject}")
        return (base / f"ses-{self.session}" if self.session else base) / DATATYPES[self.modality][0]

    def file(self, suffix: str, extension: str) -> Path:
        """A file of the scan relative to the data set; `suffix` such as `desc-brain_mask`."""
        return self.folder / f"{self.stem}_{suffix}{extension}"

    @property
    def report(self) -> Path:
        """The scan's report, relative to the data set."""
        return Path(f"{self.title}.html")

    @property
    def manifest(self) -> Path:
        """The scan's manifest, relative to the data set."""
        return self.file("manifest", ".json")


@dataclass(frozen=True)
class BidsScan:
    """An image of a data set and its name."""

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
    if not match:
        return None
    modality = next(name for name, (_, suffix) in DATATYPES.items() if suffix == match["suffix"])
    return ScanName(match[1], match["sub"], match["ses"], modality)


def is_dataset(folder: Path) -> bool:
    """True if a folder is a BIDS data set: it has a description, or subjects with a CT or a T1-weighted MR."""
    if not folder.is_dir():
        return False
    return (folder / "dataset_description.json").is_file() or next(_candidates(folder), None) is not None


def _candidates(root: Path, modalities: Iterable[str] = tuple(DATATYPES)) -> Iterator[Path]:
    for folder, suffix in (DATATYPES[modality] for modality in modalities):
        for subject in ("sub-*", "sub-*/ses-*"):
            yield from root.glob(f"{subject}/{folder}/*_{suffix}.nii*")


def find_scans(
    root: Path, participants: Iterable[str] = (), *, modalities: Iterable[str] = ("CT",)
) -> tuple[BidsScan, ...]:
    """All scans of a data set, in order of their names; derivatives are left out.

    Parameters
    ----------
    root : Path
    participants : iterable of str
        Labels with or without `sub-`; all if empty.
    modalities : iterable of str
        Of "CT" and "MR" (T1-weighted).

    Raises
    ------
    DatasetError
        If there is no such scan, or a participant that was asked for has none.
    """
    wanted = {subject_name(label).subject for label in participants}
    found = []
    wanted_kinds = tuple(modalities)
    kinds = " or ".join(wanted_kinds)
    for path in sorted(_candidates(root, wanted_kinds)):
        name = scan_name(path)
        if name and path.is_file() and path.relative_to(root).parent == name.folder:
            found.append(BidsScan(path, name))
    if not found:
        looked_for = " or ".join("/".join((DATATYPES[m][0], f"*_{DATATYPES[m][1]}.nii.gz")) for m in wanted_kinds)
        raise DatasetError(f"{root}: a BIDS data set without a {kinds} (no sub-*/[ses-*/]{looked_for})")
    missing = sorted(wanted - {scan.name.subject for scan in found})
    if missing:
        known = ", ".join(sorted({scan.name.subject for scan in found}))
        raise DatasetError(f"{root}: no {kinds} for participant {', '.join(missing)}; there are {known}")
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
                        "Description": "Head CT or MR: rectified volume, masks, volumes, report. Research use only.",
                    }
                ],
            },
            indent=2,
        )
        + "\n"
    )
