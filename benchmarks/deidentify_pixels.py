"""Pixels in de-identification: time per slice, and burned-in names found by text detectors.

    CORMACK_SHARED=../shared python benchmarks/deidentify_pixels.py [--tesseract PROGRAM]

First the time of `treat_pixels` per slice of the shared data, by transfer syntax (median; nothing has to change but
hidden bytes). Then names drawn at four sizes and three strengths on flat, noisy and head-like images of 512 x 512: a
name counts as found if 98 % of its ink lie in the boxes with their margins. The extra `ocr` is needed for the second
part; Tesseract is measured beside it where its program is given.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cormack.core.errors import CormackError
from cormack.dicom import headers
from cormack.dicom.deidentify import ocr
from cormack.dicom.deidentify.regions import Region, mask_of
from cormack.dicom.deidentify.treat_pixels import PixelPolicy, treat_pixels

NAMES = ("DOE^JANE", "Smith, John", "12345678", "1961-02-03", "M 034Y", "Hospital 12", "ID: 4471-22", "JONES")
PLACES = ((8, 6), (330, 8), (8, 480), (200, 250))
SIZES, GREYS, SIDE = (10, 12, 14, 20), (255, 200, 140), 512
Detector = Callable[[np.ndarray], tuple[Region, ...]]


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tesseract", help="the program of Tesseract")
    program = arguments.parse_args().tesseract
    print_times(Path(os.environ.get("CORMACK_SHARED", "../shared")) / "data/head_ct")
    detectors: dict[str, Detector] = {"RapidOCR": ocr.find_text} if ocr.is_available() else {}
    if program:
        detectors["Tesseract"] = lambda picture: tesseract(program, picture)
    for name, detector in detectors.items():
        print_found(name, detector)


def print_times(folder: Path) -> None:
    """Median time per slice by folder and transfer syntax."""
    times: dict[str, list[float]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        try:
            dataset = headers.parse_file(path.read_bytes())
        except (CormackError, OSError):
            continue
        if "PixelData" not in dataset:
            continue
        start = perf_counter()
        with headers.quiet():
            kind = treat_pixels(dataset, PixelPolicy()).kind
        syntax = dataset.file_meta.TransferSyntaxUID.name.split(",")[0]
        times[f"{syntax}, {dataset.Rows} x {dataset.Columns}, {kind}"].append(perf_counter() - start)
    for name, spent in sorted(times.items()):
        print(f"{name:60s} {len(spent):4d} slices {1e3 * statistics.median(spent):8.3f} ms")


def background(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A flat, a noisy, or a head-like image."""
    if kind == "flat":
        return np.full((SIDE, SIDE), 15, np.uint8)
    if kind == "noise":
        return np.clip(60 + rng.normal(0, 25, (SIDE, SIDE)), 0, 255).astype(np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    radius = np.hypot(x, y) / SIDE
    grey = np.where(radius < 0.42, 110 + 30 * np.sin(x / 23) * np.cos(y / 17), 8)
    return np.clip(grey + 120 * ((radius < 0.42) & (radius > 0.38)) + rng.normal(0, 6, grey.shape), 0, 255).astype(
        np.uint8
    )


def print_found(name: str, detector: Detector) -> None:
    """Names found on each kind of image, the image area that boxes take away beside them, and the time per image."""
    rng = np.random.default_rng(3)
    for kind in ("flat", "noise", "head"):
        found = drawn = 0
        spent, beside = 0.0, 0.0
        for trial, (size, grey) in enumerate((size, grey) for size in SIZES for grey in GREYS):
            picture = Image.fromarray(background(kind, rng))
            clean = np.asarray(picture).copy()
            draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
            boxes = []
            for k, place in enumerate(PLACES):
                text = NAMES[(trial + k) % len(NAMES)]
                draw.text(place, text, fill=grey, font=font)
                boxes.append(tuple(int(edge) for edge in draw.textbbox(place, text, font=font)))
            image = np.asarray(picture)
            start = perf_counter()
            mask = mask_of(detector(image), SIDE, SIDE)
            spent += perf_counter() - start
            ink = image != clean
            for left, top, right, bottom in boxes:
                here = np.s_[top:bottom, left:right]
                found += bool((mask & ink)[here].sum() >= 0.98 * ink[here].sum())
                mask[max(top - 12, 0) : bottom + 12, max(left - 12, 0) : right + 12] = False
            drawn, beside = drawn + len(boxes), beside + mask.mean()
        trials = len(SIZES) * len(GREYS)
        print(
            f"{name:10s} {kind:6s} {found:3d} of {drawn} names, {beside / trials:6.2%} beside, {spent / trials:5.2f} s"
        )


def tesseract(program: str, picture: np.ndarray) -> tuple[Region, ...]:
    """Words by Tesseract, page segmentation for sparse text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        Image.fromarray(picture).save(path)
        done = subprocess.run([program, path, "-", "--psm", "11", "tsv"], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    words = [
        [int(part) for part in row[6:10]] for row in rows if len(row) > 11 and row[11].strip() and float(row[10]) > 0
    ]
    margin = ocr.MARGIN_PX
    return tuple(Region(max(x - margin, 0), max(y - margin, 0), w + 2 * margin, h + 2 * margin) for x, y, w, h in words)


if __name__ == "__main__":
    main()
