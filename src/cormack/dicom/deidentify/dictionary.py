"""What the standard's dictionary says of a tag, and whether a VR that was found agrees."""

from __future__ import annotations

from functools import cache

from pydicom.datadict import dictionary_VR, tag_for_keyword

#: VRs of text whose bytes are read alike, so that one in place of another does no harm.
_LIKE_TEXT = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
#: Of attributes with a choice, those whose values are counted in 16-bit words.
_WORDS = ("OW", "US", "SS", "OB")


@cache
def tag_of(keyword: str) -> int:
    """The tag of an attribute of the standard.

    Raises
    ------
    KeyError
        If it has none of this name.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)


@cache
def stated_vrs(tag: int) -> tuple[str, ...]:
    """VRs that the standard allows a tag, the safest to assume first; empty for tags that it does not have."""
    try:
        vrs = str(dictionary_VR(tag)).split(" or ")
    except KeyError:
        return ()
    return tuple(sorted(vrs, key=lambda vr: _WORDS.index(vr) if vr in _WORDS else 0)) if len(vrs) > 1 else tuple(vrs)


def agreed_vr(tag: int, found: str | None) -> str | None:
    """The VR to go by: the one found if the standard allows it; None if the two do not agree.

    A VR that was not written (implicit) or not known to the writer (UN) is the standard's.
    """
    allowed = stated_vrs(tag)
    if not allowed:
        return None
    if found in allowed:
        return found
    if found in (None, "UN") or (found in _LIKE_TEXT and allowed[0] in _LIKE_TEXT):
        return allowed[0]
    return None
