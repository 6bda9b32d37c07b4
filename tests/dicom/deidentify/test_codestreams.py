"""JPEG, JPEG-LS, JPEG 2000 and RLE frames lose what is no pixel, and nothing else."""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from PIL import Image
from rle.utils import decode_frame

from cormack.dicom.deidentify.codestreams import clean_jpeg, clean_jpeg_2000, clean_rle, rle_frame
from cormack.dicom.deidentify.reasons import Refusal

NAME = b"DOE^JANE*1961"


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def _jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_noise(24, 32, 3)).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes((marker,)) + struct.pack(">H", len(body) + 2) + body


def _pixels(stream: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(stream)))


@pytest.mark.parametrize("marker", [0xFE, 0xE1, 0xE2, 0xE8, 0xED, 0xEF, 0xE0, 0xEE])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_comments_and_application_data_of_jpeg_go(marker: int, options: dict[str, object]) -> None:
    whole = _jpeg(**options)
    planted = whole[:2] + _segment(marker, NAME) + whole[2:] + NAME
    cleaned = clean_jpeg(planted)
    assert NAME not in cleaned.data
    assert (cleaned.rows, cleaned.columns) == (24, 32)
    assert cleaned.data.endswith(b"\xff\xd9")
    np.testing.assert_array_equal(_pixels(cleaned.data), _pixels(whole))
    assert clean_jpeg(cleaned.data).data == cleaned.data


def test_a_comment_between_scans_goes() -> None:
    whole = _jpeg(progressive=True)
    second = whole.index(b"\xff\xda", whole.index(b"\xff\xda") + 2)
    planted = whole[:second] + _segment(0xFE, NAME) + whole[second:]
    cleaned = clean_jpeg(planted).data
    assert NAME not in cleaned
    np.testing.assert_array_equal(_pixels(cleaned), _pixels(whole))


@pytest.mark.parametrize("marker", ["adobe", "jfif"])
def test_segments_that_tell_the_colour_stay_without_what_else_they_hold(marker: str) -> None:
    whole = _jpeg()
    adobe = _segment(0xEE, b"Adobe\x00\x64DOE\x00\x00" + NAME)  # version, four bytes of flags, transform, more
    jfif = _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x02\x01" + NAME[:6])
    cleaned = clean_jpeg(whole[:2] + (adobe if marker == "adobe" else jfif) + whole[2:]).data
    assert b"DOE" not in cleaned
    assert (b"Adobe" if marker == "adobe" else b"JFIF") in cleaned


@pytest.mark.parametrize(
    "broken",
    [
        lambda s: s[: len(s) // 2],
        lambda s: s[:-2],
        lambda s: s[:2] + b"text between segments" + s[2:],
        lambda s: s[:2] + _segment(0xF0, NAME) + s[2:],
        lambda s: s[:2] + _segment(0xDB, b"\x00" * 65 + NAME) + s[2:],
        lambda s: s[:2] + _segment(0xC4, b"\x00" * 17 + NAME) + s[2:],
        lambda s: s[:2] + b"\xff\xfe\xff\xff",
        lambda s: b"\xff\xd8\xff\xd9",
    ],
)
def test_jpeg_that_is_not_understood_is_refused(broken: object) -> None:
    with pytest.raises(Refusal):
        clean_jpeg(broken(_jpeg()))  # type: ignore[operator]


def _j2k(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_noise(64, 96)).save(stream, "JPEG2000", no_jp2=True, **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"tile_size": (32, 32)}, {"num_resolutions": 2}])
def test_comments_and_trailing_bytes_of_jpeg_2000_go(options: dict[str, object]) -> None:
    whole = _j2k(**options)
    planted = _j2k(comment=NAME, **options) + NAME
    assert NAME in planted[:200]
    cleaned = clean_jpeg_2000(planted)
    assert NAME not in cleaned.data
    assert (cleaned.rows, cleaned.columns) == (64, 96)
    np.testing.assert_array_equal(_pixels(cleaned.data), _pixels(whole))
    assert clean_jpeg_2000(cleaned.data).data == cleaned.data


def test_a_comment_of_a_tile_part_is_zeroed() -> None:
    whole = _j2k(tile_size=(32, 32))
    start = whole.index(b"\xff\x90")
    (length,) = struct.unpack_from(">L", whole, start + 6)
    comment = b"\xff\x64" + struct.pack(">HH", len(NAME) + 4, 1) + NAME
    head = whole[start : start + 6] + struct.pack(">L", length + len(comment)) + whole[start + 10 : start + 12]
    cleaned = clean_jpeg_2000(whole[:start] + head + comment + whole[start + 12 :]).data
    assert NAME not in cleaned
    np.testing.assert_array_equal(_pixels(cleaned), _pixels(whole))


def test_the_last_tile_part_may_leave_its_length_open() -> None:
    whole = clean_jpeg_2000(_j2k()).data
    start = whole.index(b"\xff\x90")
    opened = whole[: start + 6] + bytes(4) + whole[start + 10 :]
    assert clean_jpeg_2000(opened + NAME).data == opened


@pytest.mark.parametrize(
    "broken",
    [
        lambda s: s[: len(s) // 2],
        lambda s: s[:30],
        lambda s: s[:2] + b"\xff\x30" + s[2:],
        lambda s: s.replace(b"\xff\x93", b"\xff\x33"),
    ],
)
def test_jpeg_2000_that_is_not_understood_is_refused(broken: object) -> None:
    with pytest.raises(Refusal):
        clean_jpeg_2000(broken(_j2k()))  # type: ignore[operator]


PLANES = [_noise(24 * 32).tobytes(), bytes(24 * 32)]


def test_rle_frames_are_what_another_decoder_reads() -> None:
    frame = rle_frame(PLANES, 32)
    # The most significant bytes come first in the frame, and last in little endian pixels.
    expected = np.stack([np.frombuffer(p, np.uint8) for p in PLANES[::-1]], axis=1).tobytes()
    assert bytes(decode_frame(frame, 24 * 32, 16, "<")) == expected


@pytest.mark.parametrize("tail", [NAME, b"\x00x", b"\x80\x80", bytes(9)])
def test_trailing_bytes_of_rle_go(tail: bytes) -> None:
    frame = rle_frame(PLANES, 32)
    assert clean_rle(frame + tail, 2, 24 * 32, 32) == frame


def test_bytes_between_rle_segments_and_in_the_unused_header_go() -> None:
    frame = rle_frame(PLANES, 32)
    fields = list(struct.unpack_from("<16L", frame))
    second = fields[2]
    fields[2] += len(NAME)
    fields[10:14] = struct.unpack("<4L", NAME + b"\0\0\0")
    planted = struct.pack("<16L", *fields) + frame[64:second] + NAME + frame[second:]
    assert clean_rle(planted, 2, 24 * 32, 32) == frame


@pytest.mark.parametrize("segments", [1, 3])
def test_rle_of_another_depth_is_refused(segments: int) -> None:
    with pytest.raises(Refusal):
        clean_rle(rle_frame(PLANES, 32), segments, 24 * 32, 32)


def test_rle_that_is_cut_is_refused() -> None:
    frame = rle_frame(PLANES, 32)
    for size in (0, 40, 64, 100, len(frame) - 3):
        with pytest.raises(Refusal):
            clean_rle(frame[:size], 2, 24 * 32, 32)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=strategies.data())
@pytest.mark.parametrize("kind", ["jpeg", "jpeg 2000", "rle"])
def test_damage_is_refused_or_leaves_a_frame_and_nothing_else_is_raised(kind: str, data: strategies.DataObject) -> None:
    frame, clean = {
        "jpeg": (_jpeg(progressive=True), clean_jpeg),
        "jpeg 2000": (_j2k(tile_size=(32, 32)), clean_jpeg_2000),
        "rle": (rle_frame(PLANES, 32), lambda stream: clean_rle(stream, 2, 24 * 32, 32)),
    }[kind]
    damaged = bytearray(frame)
    for _ in range(data.draw(strategies.integers(1, 4))):
        at = data.draw(strategies.integers(0, min(len(damaged), 700) - 1))
        damaged[at] = data.draw(strategies.integers(0, 255))
    cut = data.draw(strategies.integers(0, len(damaged)) | strategies.just(len(damaged)))
    with contextlib.suppress(Refusal):
        clean(bytes(damaged[:cut]))
