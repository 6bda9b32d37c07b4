"""Left and right exchanged: whether a head fits better in the mirror.

Heads are nearly symmetric, and the common templates wholly so: against those nobody can tell (normalised mutual
information differs by less than 0.001 either way). Two scans of one person can be told: the right sides fit better by
0.11 to 0.21, while those of two persons differ by less than 0.01.
"""

from __future__ import annotations

from cormack.core.errors import RegistrationError
from cormack.core.findings import Finding
from cormack.register.conditioning import Conditioned
from cormack.register.start import Start, find_start

#: A mirrored head must fit better by this much (normalised mutual information at 4 mm).
LEAST_MARGIN = 0.03


def mirrored(moving: Conditioned, fixed: Conditioned, start: Start, *, scaled: bool) -> tuple[Finding, ...]:
    """A warning if the moving head fits better with left and right exchanged; `start` is how it fits as it is."""
    # Any mirror does: the search turns the mirrored head the way it fits.
    flipped = Conditioned(
        moving.volume.with_data(moving.volume.data[::-1]),
        moving.foreground[::-1],
        None if moving.counted is None else moving.counted[::-1],
    )
    try:
        other = find_start(flipped, fixed, scaled=scaled)
    except RegistrationError:
        return ()
    if other.similarity < start.similarity + LEAST_MARGIN:
        return ()
    return (
        Finding(
            "left-right-flipped",
            "the moving head fits the fixed one better with left and right exchanged: one of the two is mirrored, or "
            "they are not of one person; check the orientation of both before anything is read off",
            {"nmi": round(start.similarity, 4), "nmi_mirrored": round(other.similarity, 4)},
        ),
    )
