"""Secondary captures made with pydicom and Pillow alone, for tests of burned-in text."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.uid import SecondaryCaptureImageStorage
from synthetic import Recipe, datasets

from cormack.dicom import headers


def capture(pixels: np.ndarray, photometric: str, **extra: Any) -> Any:
    """A secondary capture, written and parsed. pixels: (rows, columns), with samples or frames if there are more."""
    samples = 3 if pixels.shape[-1] == 3 else 1
    frames = pixels.shape[0] if pixels.ndim - (samples > 1) == 3 else 1
    rows, columns = pixels.shape[-3:-1] if samples > 1 else pixels.shape[-2:]
    dataset = datasets(
        Recipe(
            n=1,
            rows=rows,
            columns=columns,
            dtype=pixels.dtype.type,
            modality="OT",
            sop_class=SecondaryCaptureImageStorage,
        )
    )[0]
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "RescaleSlope", "RescaleIntercept"):
        delattr(dataset, keyword)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = samples, photometric
    if samples > 1:
        dataset.PlanarConfiguration = 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = pixels.tobytes()
    for keyword, value in extra.items():
        if keyword == "TransferSyntaxUID":
            dataset.file_meta.TransferSyntaxUID = value
            if pydicom.uid.UID(value).is_encapsulated:
                dataset["PixelData"].is_undefined_length = True
                dataset["PixelData"].VR = "OB"
        else:
            setattr(dataset, keyword, value)
            if keyword == "PixelData":
                dataset["PixelData"].VR = "OB"
    return parsed(dataset)


def parsed(dataset: Dataset) -> Any:
    stream = DicomBytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return headers.parse_file(stream.getvalue())


def written(dataset: Any) -> Dataset:
    """What a reader sees of it after it was written."""
    stream = DicomBytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(stream.getvalue()))


def encoded(pixels: np.ndarray, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()
