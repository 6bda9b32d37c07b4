"""Left and right exchanged: whether a head fits a template better in the mirror."""

from __future__ import annotations

from cormack.core.findings import Finding
from cormack.core.transforms import TransformChain
from cormack.register.conditioning import Conditioned


def mirrored(moving: Conditioned, fixed: Conditioned, transform: TransformChain) -> tuple[Finding, ...]:
    """A warning if the moving head fits better with left and right exchanged."""
    return ()
