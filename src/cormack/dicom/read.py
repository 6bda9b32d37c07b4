"""The one door from DICOM to a stack of slices: find, choose, assemble."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from cormack.core.findings import Finding
from cormack.dicom.assemble import Assembly, assemble
from cormack.dicom.inventory import Inventory, Progress, SeriesEntry, take_inventory
from cormack.dicom.select import DEFAULT_RULES, Selection, SelectionRules, select_series
from cormack.dicom.source import open_source

#: Called with the stage (`headers`, `pixels`), files done and files in all.
StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan as read: slices in space, why this series, what else was there.

    Parameters
    ----------
    assembly : Assembly
    selection : Selection
    inventory : Inventory
    input_hashes : tuple of str
        SHA-256 of each file used, in the order of the slices.
    """

    assembly: Assembly
    selection: Selection
    inventory: Inventory
    input_hashes: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that selection and assembly found worth telling."""
        return self.selection.findings + self.assembly.findings

    @property
    def input_digest(self) -> str:
        """One SHA-256 over the hashes of all files used, in the order of the slices."""
        return hashlib.sha256("\n".join(self.input_hashes).encode()).hexdigest()


def read_scan(
    path: str | os.PathLike[str],
    *,
    series: int | str | None = None,
    rules: SelectionRules = DEFAULT_RULES,
    on_progress: StageProgress | None = None,
) -> Scan:
    """Read the head CT volume of a folder, a file, or a zip or tar archive.

    Parameters
    ----------
    path : path
    series : int or str, optional
        SeriesNumber or SeriesInstanceUID that overrides the choice.
    rules : SelectionRules
    on_progress : callable, optional
        Called with (stage, files done, files in all).

    Raises
    ------
    InputError
        If nothing is there or nothing of it is DICOM.
    SeriesError
        If no series, or no single series, is a volume to work on.
    GeometryError
        If the chosen images make no stack.
    DicomError
        If too many files are damaged.
    """
    with open_source(path) as source:
        inventory = take_inventory(source, on_progress=_stage("headers", on_progress))
        selection = select_series(inventory, series, rules=rules)
        assembly = assemble(selection.entry, on_progress=_stage("pixels", on_progress))
        hashes = _hashes(selection.entry, assembly.stack.sop_instance_uids)
    return Scan(assembly, selection, inventory, hashes)


def _hashes(entry: SeriesEntry, keys: tuple[str, ...]) -> tuple[str, ...]:
    """SHA-256 of the files that hold the slices, each once."""
    items = {instance.key: instance.item for instance in entry.instances}
    files = (entry.source.items[number] for number in dict.fromkeys(items[key] for key in keys))
    return tuple(hashlib.sha256(entry.source.read(file)).hexdigest() for file in files)


def _stage(name: str, on_progress: StageProgress | None) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(name, done, total)
