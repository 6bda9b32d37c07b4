"""Hide identifiers in what is no text: pixels, compressed frames, icons, tables: for `deidentify_score.py`."""

from __future__ import annotations

import numpy as np
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_frames

from deidentify_plants import Plants, element


def plant_icon(dataset: Dataset, plants: Plants) -> None:
    """An icon whose pixels spell a name."""
    raw = (plants.person.family * 20).encode("utf-8")[:64].ljust(64)
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows = icon.Columns = 8
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = raw
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    plants.count("icon")


def plant_bits(dataset: Dataset, plants: Plants) -> None:
    """An overlay in the bits of the pixels that no value uses (PS3.5 8.1.2, retired)."""
    if (
        dataset.file_meta.TransferSyntaxUID.is_compressed
        or dataset.get("BitsAllocated") != 16
        or "PixelData" not in dataset
    ):
        return
    unused = 16 - int(dataset.BitsStored)
    if unused < 1 or dataset.PixelRepresentation:
        return
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    words = np.frombuffer(dataset.PixelData, f"{order}u2").copy()
    bits = np.unpackbits(np.frombuffer(plants.person.family.encode() * 99, np.uint8))
    spelled = np.resize(bits, words.size).astype(words.dtype) << 15
    dataset["PixelData"]._value = ((words & 0x7FFF) | spelled).astype(f"{order}u2").tobytes()
    for number, vr, value in ((0x0010, "US", 8), (0x0011, "US", 8), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
                              (0x0100, "US", 16), (0x0102, "US", 15)):  # fmt: skip
        dataset[0x60040000 + number] = element(0x60040000 + number, vr, value)
    plants.count("unused bits")


def plant_bulk(dataset: Dataset, plants: Plants) -> None:
    """Text in binary data that readers take for tables, profiles and offsets; in the list of character sets."""
    raw = f"{plants.person.family} {plants.person.given} {plants.person.patient_id} ".encode()
    raw += b" " * (-len(raw) % 8)
    dataset[0x00282000] = element(0x00282000, "OB", b"\0\0\1\0acsp" + raw)
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTExplanation = [len(raw) // 2, 0, 16], plants.person.family
    lut[0x00283006] = element(0x00283006, "OW", raw)
    dataset.ModalityLUTSequence, dataset.VOILUTSequence = [lut], [lut]
    for tag in (0x00281201, 0x00281202, 0x00281203, 0x00281221, 0x00281224, 0x00660016, 0x00660040, 0x00700022 + 1):
        if tag not in dataset:
            dataset[tag] = element(tag, "OW" if tag >> 16 == 0x28 else "OB", raw)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", plants.person.family.upper()[:16]]
    dataset[0x00080005].value = [*as_list(dataset.SpecificCharacterSet), plants.person.family.upper()[:16]]
    plants.count("bulk", 16)


def as_list(value: object) -> list[str]:
    """Values of an attribute, one or more."""
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def plant_in_frames(dataset: Dataset, plants: Plants) -> None:
    """Comments, application segments and bytes behind the end of compressed frames; bytes behind plain pixels."""
    raw = f"{plants.person.family} {plants.person.patient_id} ".encode()
    raw += b" " * (len(raw) % 2)
    if not dataset.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in dataset:
        if "PixelData" in dataset and isinstance(dataset.PixelData, bytes):
            dataset["PixelData"]._value = dataset.PixelData + raw
            plants.count("behind pixels")
        return
    if dataset.file_meta.TransferSyntaxUID.is_deflated:
        return
    frames = [in_frame(frame, raw) for frame in generate_frames(dataset.PixelData, number_of_frames=frames_of(dataset))]
    dataset.PixelData = encapsulate(frames)
    plants.count("in compressed frames", len(frames))


def frames_of(dataset: Dataset) -> int:
    """NumberOfFrames, one if not stated."""
    return int(dataset.get("NumberOfFrames") or 1)


def in_frame(frame: bytes, raw: bytes) -> bytes:
    """A frame with what its coding allows to hide: comment segments, and bytes behind the end."""
    size = (len(raw) + 2).to_bytes(2, "big")
    if frame[:2] == b"\xff\xd8":
        com, app = b"\xff\xfe" + size + raw, b"\xff\xe5" + size + raw
        return frame[:2] + app + com + frame[2:] + raw
    if frame[:2] == b"\xff\x4f":
        length = int.from_bytes(frame[4:6], "big")
        comment = b"\xff\x64" + (len(raw) + 4).to_bytes(2, "big") + b"\0\1" + raw
        return frame[: 4 + length] + comment + frame[4 + length :] + raw
    return frame + raw
