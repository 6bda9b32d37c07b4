"""Bytes and bits that are no pixels go; the decoded pixels stay bit for bit."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_fragments, generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import ExplicitVRBigEndian, JPEGExtended12Bit, JPEGLSLossless, RLELossless
from synthetic import Recipe, datasets

from cormack.dicom import headers
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.canvas import decoded_canvas
from cormack.dicom.deidentify.pixel_grid import JPEG, RLE, PixelGrid, grid_of
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.streams import scrub, split_fragments, value_of

NAME = b"DOE^JANE*1961"


def _parsed(dataset: Dataset) -> Any:
    """A data set as the engine gives it: written, and parsed with raw elements."""
    stream = pydicom.filebase.DicomBytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return headers.parse_file(stream.getvalue())


def _image(**recipe: Any) -> Any:
    return datasets(Recipe(n=1, **recipe))[0]


def _scrubbed(dataset: Dataset) -> tuple[bool, bytes]:
    parsed = _parsed(dataset)
    changed = scrub(parsed, _grid(parsed))
    return changed, value_of(parsed, 0x7FE00010)


def _grid(dataset: Any) -> PixelGrid:
    grid = grid_of(dataset)
    assert grid is not None
    return grid


# Native pixel data.


def test_native_pixels_without_anything_else_are_not_copied() -> None:
    parsed = _parsed(_image())
    before = value_of(parsed, 0x7FE00010)
    assert not scrub(parsed, _grid(parsed))
    assert value_of(parsed, 0x7FE00010) is before


@pytest.mark.parametrize("tail", [b"\0\0", NAME + b"!", bytes(1000)])
def test_bytes_after_the_pixels_are_cut(tail: bytes) -> None:
    dataset = _image()
    pixels = dataset.PixelData
    dataset.PixelData = pixels + tail
    assert _scrubbed(dataset) == (True, pixels)


@pytest.mark.parametrize(("pad", "changed"), [(b"\0", False), (b"J", True)])
def test_the_pad_byte_is_zero(pad: bytes, changed: bool) -> None:
    dataset = _image(rows=3, columns=3, dtype=np.uint8)
    pixels = dataset.PixelData
    dataset.PixelData = pixels + pad
    assert _scrubbed(dataset) == (changed, pixels + b"\0")


def test_pixels_that_are_cut_are_refused() -> None:
    dataset = _image()
    dataset.PixelData = dataset.PixelData[:-2]
    with pytest.raises(Refusal) as refused:
        _scrubbed(dataset)
    assert refused.value.reason is Reason.TRUNCATED


def test_frames_that_are_not_counted_are_cut() -> None:
    dataset = _image()
    dataset.NumberOfFrames = 2
    pixels = dataset.PixelData
    dataset.PixelData = pixels * 3
    assert _scrubbed(dataset) == (True, pixels * 2)


def test_one_bit_frames_run_on() -> None:
    dataset = _image(rows=3, columns=3, dtype=np.uint8)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.NumberOfFrames = 1, 1, 0, 3
    dataset.PixelData = bytes(4) + NAME + b"!"
    assert _scrubbed(dataset) == (True, bytes(4))


@pytest.mark.parametrize(("tail", "changed"), [(b"", False), (b"DOE^", True)])
def test_pixels_of_eight_bits_in_big_endian_words_keep_their_last_one(tail: bytes, changed: bool) -> None:
    dataset = _image(rows=3, columns=3, dtype=np.uint8, syntax=ExplicitVRBigEndian)
    words = bytes([2, 1, 4, 3, 6, 5, 8, 7, 0, 9])
    dataset.PixelData = words + tail
    dataset["PixelData"].VR = "OW"
    assert _scrubbed(dataset) == (changed, words)
    dataset.PixelData = words[:8] + b"J" + words[9:]
    assert _scrubbed(dataset) == (True, words)


@pytest.mark.parametrize(("keyword", "depth"), [("FloatPixelData", 32), ("DoubleFloatPixelData", 64)])
def test_floats_are_cut_to_their_size(keyword: str, depth: int) -> None:
    dataset = _image()
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = depth
    values = np.random.default_rng(2).normal(size=80).astype(f"<f{depth // 8}").tobytes()
    setattr(dataset, keyword, values + NAME + b"!")
    parsed = _parsed(dataset)
    assert scrub(parsed, _grid(parsed))
    assert value_of(parsed, _grid(parsed).tag) == values


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ExplicitVRBigEndian])
@pytest.mark.parametrize(("dtype", "low", "high"), [(np.uint16, 0, 4095), (np.int16, -2048, 2047)])
@pytest.mark.parametrize("hidden", [False, True])
def test_only_the_sign_stays_above_the_stored_bits(syntax: str, dtype: Any, low: int, high: int, hidden: bool) -> None:
    values = np.random.default_rng(3).integers(low, high + 1, (8, 10)).astype(dtype)
    values[0, :2] = low, high
    dataset = _image(dtype=dtype, bits_stored=12, syntax=syntax)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    written = values.copy()
    if hidden:
        nibbles = np.frombuffer(NAME, np.uint8)
        written.view(np.uint16)[1, :8] ^= (nibbles[:8].astype(np.uint16) & 0xF | 1) << 12
    dataset.PixelData = written.astype(written.dtype.newbyteorder(order)).tobytes()
    changed, cleaned = _scrubbed(dataset)
    assert changed is hidden
    np.testing.assert_array_equal(np.frombuffer(cleaned, values.dtype.newbyteorder(order)).reshape(8, 10), values)


def test_padding_outside_of_the_stored_range_stays() -> None:
    dataset = _image(dtype=np.int16, bits_stored=12)
    values = np.full((8, 10), 7, np.int16)
    values[0] = -3024
    dataset.PixelData = values.tobytes()
    dataset.add_new(0x00280120, "SS", -3024)
    assert _scrubbed(dataset) == (False, values.tobytes())


def test_bits_below_the_stored_ones_are_cleared() -> None:
    dataset = _image(dtype=np.uint16)
    dataset.BitsStored, dataset.HighBit = 12, 15
    values = np.arange(80, dtype=np.uint16) << 4
    dataset.PixelData = (values | 0x5).tobytes()
    assert _scrubbed(dataset) == (True, values.tobytes())


# Encapsulated pixel data.


def _rle(frames: int = 1) -> Any:
    dataset = _image(rows=32, columns=32)
    if frames > 1:
        dataset.NumberOfFrames = frames
        dataset.PixelData = dataset.PixelData * frames
    dataset.compress(RLELossless, generate_instance_uid=False)
    return dataset


def _ls(frames: int) -> list[bytes]:
    dataset = _image(rows=32, columns=32, dtype=np.uint8)
    dataset.NumberOfFrames = frames
    dataset.PixelData = np.random.default_rng(5).integers(0, 256, frames * 1024, np.uint8).tobytes()
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    return list(generate_frames(dataset.PixelData, number_of_frames=frames))


def _encapsulated(value: bytes, frames: int) -> Any:
    dataset = _image(rows=32, columns=32, dtype=np.uint8)
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.NumberOfFrames = frames
    dataset.PixelData = value
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    return dataset


def test_frames_without_anything_else_are_not_rebuilt() -> None:
    for value in (encapsulate(_ls(3), has_bot=True), encapsulate(_ls(3), has_bot=False)):
        assert _scrubbed(_encapsulated(value, 3)) == (False, value)


def test_a_frame_in_fragments_stays_as_it_is() -> None:
    value = encapsulate(_ls(2), fragments_per_frame=3)
    assert len(list(generate_fragments(value))) == 7
    assert _scrubbed(_encapsulated(value, 2)) == (False, value)


@pytest.mark.parametrize("extra", [b"DOE^JANE*1961!", "frame"])
def test_fragments_after_the_last_frame_go(extra: bytes | str) -> None:
    frames = _ls(3)
    planted = [*frames[:2], frames[2] if extra == "frame" else extra]
    changed, cleaned = _scrubbed(_encapsulated(encapsulate(planted), 2))
    assert changed
    assert list(generate_frames(cleaned, number_of_frames=2)) == frames[:2]
    assert NAME not in cleaned


def test_the_offset_table_follows_what_was_cut() -> None:
    frames = _ls(3)
    cleaned = _scrubbed(_encapsulated(encapsulate([f + NAME + b"!" for f in frames], has_bot=True), 3))[1]
    offsets, fragments, starts = split_fragments(cleaned)
    assert struct.unpack("<3L", offsets) == tuple(starts)
    assert fragments == [f + b"\0" * (len(f) % 2) for f in frames]


def test_text_in_the_offset_table_goes() -> None:
    frames = _ls(1)
    value = b"\xfe\xff\x00\xe0" + struct.pack("<L", 12) + b"DOE^JANE1961" + encapsulate(frames, has_bot=False)[8:]
    changed, cleaned = _scrubbed(_encapsulated(value, 1))
    assert changed
    assert b"DOE" not in cleaned


def test_the_extended_offset_table_becomes_a_basic_one() -> None:
    frames = _ls(2)
    value, offsets, lengths = encapsulate_extended(frames)
    dataset = _encapsulated(value, 2)
    dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    parsed = _parsed(dataset)
    assert scrub(parsed, _grid(parsed))
    assert 0x7FE00001 not in parsed
    assert 0x7FE00002 not in parsed
    assert value_of(parsed, 0x7FE00010) == encapsulate(frames, has_bot=True)


@pytest.mark.parametrize("broken", ["fewer", "other size", "no start", "cut item"])
def test_frames_that_do_not_fit_the_header_are_refused(broken: str) -> None:
    frames = _ls(2)
    value = encapsulate(frames)
    dataset = _encapsulated(value, 2)
    if broken == "fewer":
        dataset.NumberOfFrames = 3
    elif broken == "other size":
        dataset.Rows = 31
    elif broken == "no start":
        dataset.PixelData = encapsulate([b"text", *frames])
    else:
        dataset.PixelData = value[:-6]
    dataset["PixelData"].is_undefined_length = True
    parsed = _parsed(dataset) if broken != "cut item" else dataset
    with pytest.raises(Refusal):
        scrub(parsed, _grid(parsed))


def test_rle_is_written_anew_and_decodes_to_the_same() -> None:
    dataset = _rle(2)
    expected = dataset.pixel_array
    frames = list(generate_frames(dataset.PixelData, number_of_frames=2))
    dataset.PixelData = encapsulate([frame + NAME for frame in frames])
    dataset["PixelData"].is_undefined_length = True
    parsed = _parsed(dataset)
    assert scrub(parsed, _grid(parsed))
    assert NAME not in value_of(parsed, 0x7FE00010)
    np.testing.assert_array_equal(_decoded(parsed), expected)
    assert not scrub(parsed, _grid(parsed))


# Real data: every transfer syntax.


def _decoded(dataset: Any) -> np.ndarray:
    """Decoded by pydicom with a decoder of its own; JPEG of 12 bits, which it has none for, by GDCM alone."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEGExtended12Bit:
        with DecodeWorkers() as workers:
            return decoded_canvas(dataset, _grid(dataset), workers).samples
    decoder = get_decoder(syntax)
    plugin = next((p for p in ("pylibjpeg", "gdcm", "pillow", "pydicom") if p in decoder.available_plugins), "")
    frames = int(dataset.get("NumberOfFrames") or 1)
    return np.stack([decoder.as_array(dataset, index=n, raw=True, decoding_plugin=plugin)[0] for n in range(frames)])


def _planted(value: bytes, grid: PixelGrid) -> bytes:
    """Text where the coding has room for it: comments, application data, after the end, in fragments of its own."""
    frames = [bytes(f).rstrip(b"\0") for f in generate_frames(value, number_of_frames=grid.frames)]
    if grid.syntax in JPEG:
        comment = b"\xff\xfe" + struct.pack(">H", len(NAME) + 2) + NAME + b"\xff\xe7" + struct.pack(">H", 15) + NAME
        frames = [f[:2] + comment + f[2:] + NAME for f in frames]
    elif grid.syntax == RLE:
        frames = [bytes(f) + NAME for f in generate_frames(value, number_of_frames=grid.frames)]
    else:
        comment = b"\xff\x64" + struct.pack(">HH", len(NAME) + 4, 1) + NAME
        places = [4 + int.from_bytes(f[4:6], "big") for f in frames]
        frames = [f[:at] + comment + f[at:] + NAME for f, at in zip(frames, places, strict=True)]
    return bytes(encapsulate([*frames, NAME + b"!"], has_bot=False))


def test_decoded_pixels_stay_bit_for_bit(shared_data: Path) -> None:
    seen: Counter[str] = Counter()
    for path in sorted((shared_data / "dicom_edge").rglob("*")):
        dataset = _readable(path)
        if dataset is None:
            continue
        grid = _grid(dataset)
        if seen[grid.syntax] >= 12:
            continue
        try:
            before = _decoded(dataset)
        except Exception:  # noqa: BLE001 - what no decoder reads proves nothing
            continue
        planted = headers.parse_file(path.read_bytes())
        element = planted.get_item(0x7FE00010)
        value = element.value + NAME + b"!" if grid.is_native else _planted(element.value, grid)
        length = len(value) if grid.is_native else element.length
        planted[0x7FE00010] = element._replace(value=value, length=length)
        assert scrub(planted, grid), path.name
        assert NAME not in value_of(planted, 0x7FE00010), path.name
        np.testing.assert_array_equal(_decoded(planted), before, err_msg=path.name)
        assert not scrub(planted, _grid(planted)), path.name
        seen[grid.syntax] += 1
    assert len(seen) >= 12, seen


def _readable(path: Path) -> Any:
    try:
        dataset = headers.parse_file(path.read_bytes())
        grid = grid_of(dataset)
        if grid is None or grid.tag != 0x7FE00010 or "TransferSyntaxUID" not in dataset.file_meta:
            return None
        scrub(dataset, grid)
    except Exception:  # noqa: BLE001 - damaged on purpose, or no DICOM
        return None
    return headers.parse_file(path.read_bytes())
