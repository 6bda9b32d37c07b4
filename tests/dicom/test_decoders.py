"""Decoding processes: a stream that ends one of them ends nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLosslessSV1, RLELossless
from synthetic import Recipe, datasets, write

import cormack.dicom.decoders as decoders
from cormack.core.errors import DicomError
from cormack.dicom.read import read_scan

FRAME = bytes(range(200))
REQUEST = decoders._REQUEST.pack(2, 2, 16, 16, 0, 1, len(FRAME), b"MONOCHROME2", b"1.2.840.10008.1.2.4.70")

DIES = "import sys, os; sys.stdin.buffer.read(50); os.abort()"
HANGS = "import sys, time; sys.stdin.buffer.read(50); time.sleep(60)"
LIES = "import sys; sys.stdin.buffer.read(50); sys.stdout.buffer.write(b'\\xff\\xff\\0\\0short')"


def _stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> list[subprocess.Popen[bytes]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        started.append(worker)
        return worker

    monkeypatch.setattr(decoders, "_start", start)
    return started


@pytest.mark.parametrize("code", [DIES, HANGS, LIES, "raise SystemExit"])
def test_a_decoder_that_breaks_off_is_an_error_and_is_replaced(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(decoders, "FRAME_LIMIT_S", 0.5)
    started = _stand_in(monkeypatch, code)
    with decoders.DecodeWorkers() as workers:
        for _ in range(2):
            with pytest.raises(DicomError, match="broke off"):
                workers.decode(REQUEST, FRAME)
    assert len(started) == 2
    assert all(worker.returncode is not None for worker in started)


def test_a_decoder_that_refuses_goes_on() -> None:
    with decoders.DecodeWorkers() as workers:
        for _ in range(3):
            with pytest.raises(DicomError, match="damaged"):
                workers.decode(REQUEST, FRAME)


def test_damaged_frames_of_many_threads(tmp_path: Path) -> None:
    with decoders.DecodeWorkers() as workers:
        failures: list[Exception] = []

        def run() -> None:
            try:
                workers.decode(REQUEST, FRAME)
            except DicomError as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(failures) == 8


def test_slices_whose_decoder_dies_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slices = datasets(Recipe(n=6))
    for ds in slices:
        ds.compress(RLELossless, generate_instance_uid=False)
    for ds in slices[:2]:  # called JPEG, so that they go to the stand-in
        ds.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    write(tmp_path, slices)
    _stand_in(monkeypatch, DIES)
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 4
    assert scan.assembly.left_out == {"truncated or damaged pixel data": 2}


def test_the_real_decoder_works_beside_a_module_that_hides_the_standard_one(tmp_path: Path) -> None:
    """`dicom/select.py` must not become `select` in the decoding process."""
    folder = Path(decoders.__file__).parent
    assert (folder / "select.py").exists()
    done = subprocess.run(
        [sys.executable, "-P", str(folder / "gdcm_worker.py")], input=b"", capture_output=True, check=True
    )
    assert done.stdout == b""


def test_pydicom_knows_the_plugin_once() -> None:
    decoders.register()
    decoders.register()
    decoder = pydicom.pixels.get_decoder(JPEGLosslessSV1)
    assert decoders.PLUGIN in decoder.available_plugins


@pytest.mark.parametrize("name", ["JPLL/CT1_JPLL", "JLSL/CT1_JLSL", "J2KR/CT1_J2KR"])
def test_a_frame_that_is_cut_is_refused_not_made_up(shared_data: Path, name: str) -> None:
    dataset = pydicom.dcmread(shared_data / "dicom_edge/dicom-test-files/data/WG04" / name)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))

    def request(size: int) -> bytes:
        return decoders._REQUEST.pack(
            dataset.Rows,
            dataset.Columns,
            dataset.BitsAllocated,
            dataset.BitsStored,
            dataset.PixelRepresentation,
            1,
            size,
            b"MONOCHROME2",
            str(dataset.file_meta.TransferSyntaxUID).encode(),
        )

    with decoders.DecodeWorkers() as workers:
        whole = workers.decode(request(len(frame)), frame)
        assert len(whole) == dataset.Rows * dataset.Columns * 2
        for share in (0.3, 0.6, 0.9):
            cut = frame[: int(share * len(frame))]
            with pytest.raises(DicomError, match="damaged"):
                workers.decode(request(len(cut)), cut)
        # The next frame is none the worse for it.
        assert workers.decode(request(len(frame)), frame) == whole
