"""Speed and memory of `cormack deidentify` beside the shortest pydicom loop that reads, edits and writes.

    python benchmarks/deidentify.py [--repeats 3] [--workers N]

A series of 512 x 512 CT images with a header of about 130 attributes is made here, uncompressed, 300 and 1500 images.
Each repeat runs, one after the other and each as a process of its own: the loop (one process: read, change eleven
attributes, drop private ones, write) and Cormack (survey, clean, write, report). Printed are images per second, their
ratio pair by pair, and the peak memory of Cormack's processes together, which must not grow with the series.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

LOOP = """
import sys
from pathlib import Path
import pydicom
source, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir()
for path in sorted(source.iterdir()):
    dataset = pydicom.dcmread(path)
    dataset.PatientName = dataset.PatientID = "ANON"
    for keyword in ("PatientBirthDate", "PatientAge", "AccessionNumber", "ReferringPhysicianName", "InstitutionName"):
        setattr(dataset, keyword, "")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(dataset, keyword, pydicom.uid.generate_uid(entropy_srcs=[getattr(dataset, keyword)]))
    dataset.remove_private_tags()
    dataset.save_as(out / path.name)
"""
OPTIONS = ("--clean-descriptors", "--retain-longitudinal-modified-dates", "--retain-patient-characteristics")


def image(k: int, pixels: bytes) -> pydicom.Dataset:
    """One slice with what scanners write: texts, sequences, private elements."""
    dataset = pydicom.Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.3.12.2.1107.5.1.4.1000.{k}"
    for keyword in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{keyword}Date", "20190304")
        setattr(dataset, f"{keyword}Time", f"1122{k % 60:02d}.{k:06d}")
    dataset.AccessionNumber, dataset.StudyID, dataset.PatientID = "A2019030417", "S4711", "P0815-7351"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "CT", "SIEMENS", "Sensation 64"
    dataset.InstitutionName, dataset.InstitutionAddress = "Klinikum Beispielstadt", "Musterweg 7, Beispielstadt"
    dataset.PatientName, dataset.ReferringPhysicianName = "Vandersloot^Annegret", "Hinterseer^Ottokar"
    dataset.OperatorsName, dataset.StationName = "Plischke^Udo", "CTAWP7351"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19481231", "F", "070Y"
    dataset.StudyDescription, dataset.SeriesDescription = "Head^HeadSeq (Adult)", "HeadSeq 4.0 H31s"
    dataset.ProtocolName, dataset.BodyPartExamined = "HeadSeq", "HEAD"
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, "1.3.12.2.1107.5.1.4.1000.0"
    dataset.ReferencedImageSequence = dataset.SourceImageSequence = [reference]
    dataset.SliceThickness, dataset.KVP, dataset.DataCollectionDiameter = 4, 120, 500
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "73510", "syngo CT 2007A"
    dataset.DistanceSourceToDetector, dataset.DistanceSourceToPatient = 1040, 570
    dataset.GantryDetectorTilt, dataset.TableHeight, dataset.RotationDirection = -18.5, 155, "CW"
    dataset.ExposureTime, dataset.XRayTubeCurrent, dataset.Exposure = 1000, 320 + k % 40, 320
    dataset.FilterType, dataset.GeneratorPower, dataset.FocalSpots = "0", 38, 1.2
    dataset.DateOfLastCalibration, dataset.TimeOfLastCalibration = "20190304", "060000"
    dataset.ConvolutionKernel, dataset.PatientPosition = "H31s", "HFS"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.3.12.2.1107.5.1.4.1", "1.3.12.2.1107.5.1.4.2"
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 2, 1, k + 1
    dataset.ImagePositionPatient = [-115.25, -120.75, 4.0 * k]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0.948324, -0.317305]
    dataset.FrameOfReferenceUID, dataset.SliceLocation = "1.3.12.2.1107.5.1.4.3", 4.0 * k
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 512
    dataset.PixelSpacing = [0.449219, 0.449219]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = [40, 600], [80, 2800]
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    dataset.RequestingPhysician, dataset.RequestedProcedureDescription = "Hinterseer^Ottokar", "CT Head"
    for group in (0x0019, 0x0021, 0x0029, 0x0051):
        block = dataset.private_block(group, "SIEMENS CT VA0  COAD", create=True)
        for element in range(12):
            block.add_new(element, "LO", f"private {element} of Vandersloot")
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
    return dataset


def make_series(folder: Path, count: int) -> Path:
    """Images with noise, all pixels alike: what is timed does not look at them."""
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 4096, (512, 512), dtype=np.uint16).tobytes()
    for k in range(count):
        dataset = image(k, pixels)
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(folder / f"I{k:05d}", enforce_file_format=True)
    return folder


def timed(command: list[str]) -> tuple[float, float]:
    """Wall seconds, and the peak of the memory (MB) that the process and its children hold together."""
    # With bytecode written, as an installed package has it; the runs that count must not compile.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start, peak = perf_counter(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    while process.poll() is None:
        peak = max(peak, tree_memory_mb(process.pid))
        sleep(0.02)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}")
    return perf_counter() - start, peak


def tree_memory_mb(pid: int) -> float:
    """Proportional set size of a process and its children: what they share counts once."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0
    return own + sum(tree_memory_mb(int(child)) for child in children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=None)
    arguments = parser.parse_args()
    workers = [] if arguments.workers is None else ["--workers", str(arguments.workers)]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for count in (300, 1500):
            source, rates, loops, peaks = make_series(base / f"in{count}", count), [], [], []
            for _ in range(arguments.repeats):
                loop_s, _ = timed([sys.executable, "-c", LOOP, str(source), str(base / "loop")])
                own = [sys.executable, "-m", "cormack", "deidentify", "-q", str(source), str(base / "out")]
                own_s, peak = timed([*own, "--project-key", str(base / "key"), *OPTIONS, *workers])
                loops.append(count / loop_s)
                rates.append(count / own_s)
                peaks.append(peak)
                shutil.rmtree(base / "loop")
                shutil.rmtree(base / "out")
            ratio = statistics.median(own / loop for own, loop in zip(rates, loops, strict=True))
            print(
                f"{count} images on {len(os.sched_getaffinity(0))} cores: Cormack {statistics.median(rates):.0f}/s, "
                f"pydicom loop {statistics.median(loops):.0f}/s, ratio {ratio:.2f}, "
                f"peak memory {max(peaks):.0f} MB"
            )
            shutil.rmtree(source)


if __name__ == "__main__":
    main()
