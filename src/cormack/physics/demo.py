"""The demonstration scan: a digital head as awkward as a real export, with localizers and a dose page."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.volume import SliceStack
from cormack.physics.head import DigitalHead, digital_head
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions, scout
from cormack.physics.screen import text_page

#: Middle of the scanned range, and the reconstructed circle in a square of the same width.
CENTER_MM = (0.0, -6.0, 26.0)
FIELD_OF_VIEW_MM = 250.0


@dataclass(frozen=True)
class DemoOptions:
    """How the demonstration head is scanned.

    Parameters
    ----------
    tilt_deg : gantry tilt, −25 to 25; negative as radiographers tilt to spare the eyes
    slices, thickness_mm : 40 slices of 4 mm cover the head
    noise_hu : standard deviation of the noise
    pixels : rows and columns
    padding_hu : value outside of the reconstructed circle
    """

    tilt_deg: float = -18.0
    slices: int = 40
    thickness_mm: float = 4.0
    noise_hu: float = 3.5
    pixels: int = 512
    padding_hu: int = -3024
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("tilt_deg", -25, 25),
            ("slices", 3, 1000),
            ("thickness_mm", 0.3, 20),
            ("noise_hu", 0, 100),
            ("pixels", 32, 1024),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} must lie between {low} and {high}, not {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Demo:
    """A head as scanned, and what comes with it in an export.

    Parameters
    ----------
    head : SliceStack
    localizers : single-slice stacks, from the side and from the front
    dose_page : uint8 array, shape (rows, columns)
    truth : the head itself, with its exact intracranial volume
    options : DemoOptions
    """

    head: SliceStack
    localizers: tuple[SliceStack, ...]
    dose_page: npt.NDArray[np.uint8]
    truth: DigitalHead
    options: DemoOptions = field(default_factory=DemoOptions)


def demo(options: DemoOptions | None = None) -> Demo:
    """Scan the digital head.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    options = options or DemoOptions()
    head = digital_head()
    geometry = SliceGeometry(
        even_positions(options.slices, options.thickness_mm),
        tilt_deg=options.tilt_deg,
        columns=options.pixels,
        rows=options.pixels,
        pixel_spacing_mm=(FIELD_OF_VIEW_MM / options.pixels,) * 2,
        thickness_mm=options.thickness_mm,
        center_mm=CENTER_MM,
    )
    settings = ScannerSettings(
        noise_hu=options.noise_hu,
        field_of_view_mm=FIELD_OF_VIEW_MM,
        padding_hu=options.padding_hu,
        subsample_mm=1.4,
        seed=options.seed,
    )
    return Demo(acquire(head, geometry, settings), _localizers(head), _dose_page(options), head, options)


def _localizers(head: DigitalHead) -> tuple[SliceStack, ...]:
    """From the side and from the front, 1.5 mm pixels."""
    views: tuple[SliceGeometry, ...] = (
        SliceGeometry((0.0,), "sagittal", 0.0, 170, 150, (1.5, 1.5), 1.0, CENTER_MM),
        SliceGeometry((0.0,), "coronal", 0.0, 170, 150, (1.5, 1.5), 1.0, CENTER_MM),
    )
    return tuple(scout(head, view, width_mm=240.0) for view in views)


def _dose_page(options: DemoOptions) -> npt.NDArray[np.uint8]:
    length_cm = options.slices * options.thickness_mm / 10
    ctdi_mgy = 52.1
    return text_page(
        [
            "DOSE REPORT",
            "",
            "PHANTOM - NO PERSON WAS EXPOSED",
            "",
            "SERIES  TYPE   CTDIVOL MGY  DLP MGY-CM",
            "1       SCOUT  -            -",
            f"2       AXIAL  {ctdi_mgy:<11.2f}  {ctdi_mgy * length_cm:.1f}",
        ]
    )
