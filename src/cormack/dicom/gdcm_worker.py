"""A process that decodes JPEG, JPEG-LS and JPEG 2000 frames with GDCM; run by `decoders`, never imported.

GDCM ends the whole process on some damaged streams and holds Python's lock while it decodes. In processes of its own it
takes no scan with it, and two frames are decoded at a time. Imports nothing but GDCM, so that it starts at once.

Request: seven unsigned 32-bit numbers (rows, columns, bits allocated, bits stored, pixel representation, samples per
pixel, bytes of the frame), 16 bytes of photometric interpretation, 64 bytes of transfer syntax UID, the frame. Answer:
the number of decoded bytes (0 if it failed), the bytes.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile

import gdcm

REQUEST = struct.Struct("<7L16s64s")
ANSWER = struct.Struct("<L")
#: What libjpeg and OpenJPEG write to the error stream when they go on with a damaged stream and make up the rest.
#: (libjpeg's "extraneous bytes before marker" is harmless and not among them.)
MADE_UP = (
    b"premature end",
    b"Premature end",
    b"bad Huffman code",
    b"Bogus Huffman",
    b"found marker",
    b"Stream too short",
    b"Failed to decode",
)
#: More memory than any frame needs; a stream that makes the decoder ask for more ends this process alone.
MEMORY_LIMIT_BYTES = 6 * 2**30


def decode(fields: tuple[int, ...], colour: str, syntax: str, frame: bytes) -> bytes:
    """Decoded bytes of one frame, colour by pixel."""
    rows, columns, allocated, stored, representation, samples = fields
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    if samples > 1:
        image.SetPhotometricInterpretation(
            gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.GetPIType(colour))
        )
        image.SetPlanarConfiguration(0)
    else:
        image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, stored, stored - 1, representation))
    # GDCM gives bytes as text.
    return bytes(image.GetBuffer().encode("utf-8", "surrogateescape"))


def serve() -> None:
    """Answer requests until there are no more."""
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        *fields, size, colour, uid = REQUEST.unpack(head)
        frame = source.read(size)
        complaints()
        try:
            decoded = decode(tuple(fields), colour.rstrip(b"\0").decode(), uid.rstrip(b"\0").decode(), frame)
            if any(sign in complaints() for sign in MADE_UP):
                decoded = b""
        except Exception:  # noqa: BLE001 - whatever GDCM raises, the answer is that it failed
            decoded = b""
        target.write(ANSWER.pack(len(decoded)) + decoded)
        target.flush()


def catch_complaints() -> None:
    """Let the codecs' error stream end in a file of no name."""
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)


def complaints() -> bytes:
    """What the codecs wrote since the last call."""
    size = os.fstat(2).st_size
    if size == 0:
        return b""
    os.lseek(2, 0, os.SEEK_SET)
    written = os.read(2, 65_536)
    os.ftruncate(2, 0)
    os.lseek(2, 0, os.SEEK_SET)
    return written


def limit_memory() -> None:
    """Bound what a damaged stream can make the decoder ask for, where the system can do that."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    limit_memory()
    catch_complaints()
    serve()
