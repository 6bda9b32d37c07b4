"""Where a result comes from: software, parameters, timings."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

#: Packages whose versions a manifest states.
STATED_PACKAGES = ("numpy", "scipy", "pydicom", "python-gdcm", "nibabel", "isal", "pillow", "antspyx", "openvino")


def software_versions() -> dict[str, str]:
    """Versions of Cormack, Python and the packages that touch the numbers."""
    versions = {"cormack": package_version("cormack"), "python": platform.python_version()}
    for name in STATED_PACKAGES:
        versions[name] = package_version(name)
    return versions


def generated_by() -> dict[str, str]:
    """Name and version of this program, as BIDS writes them under GeneratedBy."""
    return {"Name": "Cormack", "Version": package_version("cormack")}


def package_version(name: str) -> str:
    """Version of an installed package, or "not installed"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@dataclass
class Provenance:
    """The record of one run, filled while it goes: parameters, and seconds per step."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measure the wall seconds of a step; repeated steps add up."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + perf_counter() - start
