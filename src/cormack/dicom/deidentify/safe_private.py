"""Private attributes that are known to hold no identity (PS3.15 E.3.10)."""

from __future__ import annotations

from functools import cache

from cormack.dicom.deidentify.tables import rows_of


def is_safe_private(creator: str, tag: int, vr: str) -> bool:
    """Tell whether a private attribute may be kept under the Retain Safe Private Option.

    Parameters
    ----------
    creator
        Value of the private creator that reserves the attribute's block.
    tag
        Group and element as one number; the block number in it does not matter.
    vr
        Value representation as found. It must be the table's, or UN, whose value the caller must then prove.

    """
    stated = _safe_attributes().get((creator.strip(), tag >> 16, tag & 0xFF))
    return stated is not None and vr in (stated, "UN")


def safe_private_vr(creator: str, tag: int) -> str | None:
    """Give the value representation that the table states, None for an attribute that is not on it."""
    return _safe_attributes().get((creator.strip(), tag >> 16, tag & 0xFF))


@cache
def _safe_attributes() -> dict[tuple[str, int, int], str]:
    return {
        (row["creator"], int(row["group"], 16), int(row["element"], 16)): row["vr"]
        for row in rows_of("safe_private_attributes.tsv")
    }
