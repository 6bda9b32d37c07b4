"""Decode JPEG, JPEG-LS and JPEG 2000 frames with GDCM in processes of their own, through pydicom's plugin interface.

pydicom keeps the bookkeeping (fragments, precision and sign of the stream against the header); GDCM does the decoding.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from queue import LifoQueue
from threading import Timer
from types import TracebackType
from typing import IO, Any

from pydicom import uid
from pydicom.pixels import get_decoder

from cormack.core.errors import DicomError

#: Processes at a time.
WORKERS = 2
#: A frame of the largest size takes a second; a stream that takes this long is damaged.
FRAME_LIMIT_S = 60.0
PLUGIN = "cormack"
#: The request and answer of `gdcm_worker`, which cannot be imported from here: it runs alone.
_REQUEST = struct.Struct("<7L16s64s")
_ANSWER = struct.Struct("<L")

#: What pydicom asks of a plugin: transfer syntaxes and what they need.
DECODER_DEPENDENCIES = {
    syntax: ("python-gdcm>=3.2",)
    for syntax in (
        uid.JPEGBaseline8Bit,
        uid.JPEGExtended12Bit,
        uid.JPEGLossless,
        uid.JPEGLosslessSV1,
        uid.JPEGLSLossless,
        uid.JPEGLSNearLossless,
        uid.JPEG2000Lossless,
        uid.JPEG2000,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
        uid.HTJ2K,
    )
}


def is_available(syntax: str) -> bool:
    """True for the transfer syntaxes that GDCM decodes; asked by pydicom."""
    return syntax in DECODER_DEPENDENCIES


@cache
def register() -> None:
    """Make the plugin known to pydicom, once."""
    for syntax in DECODER_DEPENDENCIES:
        get_decoder(syntax).add_plugin(PLUGIN, (__name__, "decode_frame"))


class DecodeWorkers:
    """Up to two decoding processes, started when first needed, ended by `close`; from any thread."""

    def __init__(self) -> None:
        register()
        self._idle: LifoQueue[subprocess.Popen[bytes] | None] = LifoQueue()
        for _ in range(WORKERS):
            self._idle.put(None)

    def __enter__(self) -> DecodeWorkers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for worker in [self._idle.get() for _ in range(WORKERS)]:
            if worker is not None:
                _end(worker)
            self._idle.put(None)

    def decode(self, request: bytes, frame: bytes) -> bytes:
        """Decoded bytes of one frame.

        Raises
        ------
        DicomError
            If the stream is damaged: GDCM refused it, crashed on it or did not come to an end.
        """
        worker = self._idle.get()
        try:
            if worker is None:
                worker = _start()
            decoded = _exchange(worker, request, frame)
        except (OSError, EOFError) as error:
            if worker is not None:
                worker.kill()
                _end(worker)
                worker = None
            raise DicomError("the compressed pixel data of a file is damaged: its decoder broke off") from error
        finally:
            self._idle.put(worker)
        if not decoded:
            raise DicomError("the compressed pixel data of a file is damaged")
        return decoded


def decode_frame(src: bytes, runner: Any) -> bytes:
    """Decode one frame for pydicom; sets the container size that GDCM uses, as pydicom's own GDCM plugin does."""
    syntax, stored = runner.transfer_syntax, runner.bits_stored
    if syntax in uid.JPEGLSTransferSyntaxes:
        if stored in (6, 7) or (syntax == uid.JPEGLSNearLossless and runner.pixel_representation == 1 and stored < 8):
            raise NotImplementedError("GDCM does not decode JPEG-LS of so few bits")
        stored = runner.get_option("jls_precision", stored)
        _set_container(runner, stored)
    elif syntax in uid.JPEG2000TransferSyntaxes:
        stored = runner.get_option("j2k_precision", stored)
        _set_container(runner, stored)
    colour = str(runner.photometric_interpretation)
    if runner.samples_per_pixel > 1:
        _set_colour(runner, syntax, colour)
    request = _REQUEST.pack(
        runner.rows,
        runner.columns,
        runner.bits_allocated,
        stored,
        runner.pixel_representation,
        runner.samples_per_pixel,
        len(src),
        colour.encode("ascii"),
        str(syntax).encode("ascii"),
    )
    workers: DecodeWorkers = runner.get_option("cormack_workers")
    return workers.decode(request, src)


def _set_colour(runner: Any, syntax: str, colour: str) -> None:
    """GDCM gives colour by pixel, and undoes the colour transforms that belong to JPEG 2000."""
    runner.set_option("planar_configuration", 0)
    if syntax in uid.JPEG2000TransferSyntaxes and colour in ("YBR_ICT", "YBR_RCT"):
        runner.set_option("photometric_interpretation", "RGB")


def _set_container(runner: Any, precision: int) -> None:
    """GDCM's containers follow the precision of the stream, not BitsAllocated."""
    for bits in (8, 16, 32):
        if 0 < precision <= bits:
            runner.set_option("bits_allocated", bits)
            return


def _start() -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("gdcm_worker.py")
    # -P: this folder must not be on the path, where `select.py` would hide the module of that name. Codecs write what
    # they think of damaged streams to the error stream, which is of no use to anybody.
    return subprocess.Popen(
        [sys.executable, "-P", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    try:
        worker.wait(timeout=2)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _exchange(worker: subprocess.Popen[bytes], request: bytes, frame: bytes) -> bytes:
    if worker.stdin is None or worker.stdout is None:
        raise EOFError
    watch = Timer(FRAME_LIMIT_S, worker.kill)
    watch.daemon = True
    watch.start()
    try:
        worker.stdin.write(request + frame)
        worker.stdin.flush()
        (size,) = _ANSWER.unpack(_read(worker.stdout, _ANSWER.size))
        return _read(worker.stdout, size)
    finally:
        watch.cancel()


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the decoder ended")
    return data
