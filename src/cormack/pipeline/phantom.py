"""The demonstration head as a DICOM export: the scan with localizers and a dose page beside it, as scanners send it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cormack.dicom.write import (
    Series,
    Study,
    whole_folder,
    write_ct_series,
    write_localizer,
    write_secondary_capture,
)
from cormack.physics.demo import DemoOptions, demo


@dataclass(frozen=True)
class PhantomExport:
    """What was written, and the truth about it.

    Parameters
    ----------
    folder : path of the export
    slices, localizers : number of files of each kind; a dose page comes on top
    tilt_deg : gantry tilt as `SliceStack.tilt_deg` measures it
    intracranial_volume_ml : exact volume of the head's intracranial space
    """

    folder: Path
    slices: int
    localizers: int
    tilt_deg: float
    intracranial_volume_ml: float


def make_phantom_series(
    folder: Path | str,
    *,
    tilt_deg: float = -18.0,
    slices: int = 40,
    thickness_mm: float = 4.0,
    noise_hu: float = 3.5,
    pixels: int = 512,
    seed: int = 0,
) -> PhantomExport:
    """Write the digital head as DICOM: `S0001` two localizers, `S0002` the head, `S0999` a dose page.

    The header states the gantry tilt with the sign opposite to that of the positions, as some vendors do.

    Parameters
    ----------
    folder : path
        Appears whole or not at all; must not exist, or be empty.
    tilt_deg, slices, thickness_mm, noise_hu, pixels : see `DemoOptions`
    seed : int
        Of noise and UIDs: the same seed and options give the same files.

    Raises
    ------
    InputError
        If an option is out of range.
    OutputError
        If the folder holds something or cannot be written.
    """
    options = DemoOptions(tilt_deg, slices, thickness_mm, noise_hu, pixels, seed=seed)
    study = Study(f"phantom {options}")
    with whole_folder(folder) as partial:
        scanned = demo(options)
        write_localizer(scanned.localizers, partial / "S0001", study=study)
        written = write_ct_series(
            scanned.head,
            partial / "S0002",
            padding_hu=options.padding_hu,
            series=Series(2, f"Head {thickness_mm:g} mm", stated_tilt_deg=-tilt_deg),
            study=study,
        )
        write_secondary_capture(scanned.dose_page, partial / "S0999", study=study)
    return PhantomExport(
        Path(folder), len(written), len(scanned.localizers), tilt_deg, scanned.truth.intracranial_volume_ml
    )
