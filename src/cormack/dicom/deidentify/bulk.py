"""Binary data that is understood: look-up tables, waveforms, spectra, offsets of frames. All other is dropped."""

from __future__ import annotations

import struct
from typing import Any

from cormack.dicom.deidentify.encoding import raw_value

_WAVEFORMS = 0x54000100
#: Data of a look-up table, and its descriptor: number of entries, first value mapped, bits (PS3.3 C.11.1.1).
_TABLES = {
    0x00283006: 0x00283002,
    0x00281201: 0x00281101,
    0x00281202: 0x00281102,
    0x00281203: 0x00281103,
    0x00281204: 0x00281104,
}
_SEGMENTED = frozenset({0x00281221, 0x00281222, 0x00281223, 0x00281224})
_SAMPLES, _SAMPLE_LIMITS = 0x54001010, frozenset({0x5400100A, 0x54000110, 0x54000112})
_SPECTRUM = 0x56000020
_FRAME_OFFSETS = frozenset({0x7FE00001, 0x7FE00002})
BULK = frozenset({*_TABLES, *_SEGMENTED, _SAMPLES, *_SAMPLE_LIMITS, _SPECTRUM, *_FRAME_OFFSETS})
#: Shorter numbers may look like text by chance.
_LEAST_TEXT = 6
_TEXT = frozenset(range(0x20, 0x7F))


def may_stay(tag: int, dataset: Any, path: tuple[int, ...]) -> bool:
    """True if data of `BULK` stands where it belongs, has the size that belongs to it, and is no text.

    Parameters
    ----------
    tag : int
    dataset : pydicom Dataset
        The data set that holds it.
    path : tuple of int
        Enclosing sequences, outermost first.
    """
    value = raw_value(dataset.get_item(tag))[1]
    if len(value) >= _LEAST_TEXT and _TEXT.issuperset(value[:4096]):
        return False
    if tag in _TABLES:
        return _fits_descriptor(value, dataset.get_item(_TABLES[tag]))
    if tag == _SAMPLES:
        return _WAVEFORMS in path
    if tag in _SAMPLE_LIMITS:
        return _WAVEFORMS in path and len(value) <= 8
    if tag in _FRAME_OFFSETS:
        return not path and len(value) % 8 == 0
    return True


def _fits_descriptor(value: bytes, descriptor: Any) -> bool:
    """True if a table has as many bytes as its descriptor says: one or two per entry, padded to an even number."""
    if descriptor is None:
        return False
    stated = raw_value(descriptor)[1]
    if len(stated) != 6:
        return False
    sizes = {struct.unpack(order + "H", stated[:2])[0] or 2**16 for order in "<>"}
    return any(len(value) in (entries, entries + (entries & 1), 2 * entries) for entries in sizes)
