"""The project key: one secret from which pseudonyms, UIDs and date shifts follow by keyed hashes.

Each use has its own key, made from the secret by HMAC-SHA-256 (RFC 2104) with the name of the use, so that nothing
that is published for one use tells anything about another. The same secret gives the same names on any machine;
without it nothing can be turned back or made again.

Names made here carry a keyed check of their own, so that a second run over its own output knows them and leaves them
as they are. The chance that a foreign UID or number passes for one is 2^-32 and 2^-20.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cormack.core.errors import InputError, OutputError
from cormack.core.findings import Finding

#: First word of a key file that Cormack made; the key follows in base64.
KEY_FILE_MARK = b"cormack-project-key-1 "
#: Bytes of a new key.
NEW_KEY_BYTES = 32
#: A file that holds less is no secret; one that holds more was not meant as a key.
SMALLEST_KEY_BYTES, LARGEST_KEY_BYTES = 16, 64 * 2**10
#: Shifts reach ten years back and never forward: dates in the future trouble viewers and archives.
LONGEST_SHIFT_DAYS = 3650

PSEUDONYM_PREFIX = "CRK"
_PSEUDONYM = re.compile(PSEUDONYM_PREFIX + "[A-Z2-7]{16}")
_PSEUDONYM_BODY = 12  # characters; the check has the other four
#: Between the parts of an identity; canonical text cannot hold it.
_SEPARATOR = "\x1f"

_UUID_UID = re.compile(r"2\.25\.([1-9]\d{0,38})")
_CHECK_BITS = 32
_TAIL_BITS = 30  # of the hash between the variant and the check
_VERSION, _VARIANT = 0x8, 0b10  # RFC 9562, sections 5.8 and 4.1


class ProjectKey:
    """A secret, and what is made from it; its text form shows only its label.

    Parameters
    ----------
    secret : bytes
        At least 16 bytes. It can be pickled, which hands it to worker processes through a pipe, and goes nowhere else.

    Raises
    ------
    InputError
        If the secret is too short.

    Examples
    --------
    >>> key = ProjectKey(bytes(range(32)))
    >>> key.uid("1.2.3") == key.uid("1.2.3") == key.uid(key.uid("1.2.3"))
    True
    >>> key.pseudonym("A") == key.pseudonym("B")
    False
    """

    __slots__ = ("_identity", "_identity_check", "_secret", "_shift", "_uid", "_uid_check", "label")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SMALLEST_KEY_BYTES:
            raise InputError(f"a project key must have at least {SMALLEST_KEY_BYTES} bytes, not {len(secret)}")
        self._secret = bytes(secret)
        self._uid, self._uid_check = self.derive("uid"), self.derive("uid check")
        self._identity, self._identity_check = self.derive("pseudonym"), self.derive("pseudonym check")
        self._shift = self.derive("shift")
        #: A keyed hash that tells two keys apart and nothing else; it may be shown.
        self.label = self.derive("label").hex()[:12]

    def __repr__(self) -> str:
        return f"<ProjectKey {self.label}>"

    def __reduce__(self) -> tuple[type[ProjectKey], tuple[bytes]]:
        return ProjectKey, (self._secret,)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose."""
        return hmac.digest(self._secret, b"cormack deidentify 1: " + purpose.encode(), "sha256")

    def uid(self, original: str) -> str:
        """The UID that stands for an original: `2.25.` and a UUID of version 8 (PS3.5 B.2); an own one stays.

        Parameters
        ----------
        original : str
            Any text; spaces and NUL around it do not count. Empty text stays empty.
        """
        original = original.strip(" \0")
        if not original or self.is_own_uid(original):
            return original
        # 90 bits of the hash around the fixed bits of a UUID, then the check.
        body = int.from_bytes(_keyed(self._uid, original)[:12], "big") >> 6
        head, middle, tail = body >> 42, (body >> _TAIL_BITS) & 0xFFF, body & ((1 << _TAIL_BITS) - 1)
        high = (((head << 4 | _VERSION) << 12 | middle) << 2 | _VARIANT) << _TAIL_BITS | tail
        return f"2.25.{high << _CHECK_BITS | self._check_of_uid(high)}"

    def is_own_uid(self, uid: str) -> bool:
        """True if this key made the UID."""
        match = _UUID_UID.fullmatch(uid)
        if match is None or (number := int(match[1])) >> 128:
            return False
        high = number >> _CHECK_BITS
        check = number & ((1 << _CHECK_BITS) - 1)
        return high >> 44 & 0xF == _VERSION and high >> 30 & 0b11 == _VARIANT and check == self._check_of_uid(high)

    def _check_of_uid(self, high: int) -> int:
        return int.from_bytes(hmac.digest(self._uid_check, high.to_bytes(12, "big"), "sha256")[:4], "big")

    def pseudonym(self, identity: str) -> str:
        """The pseudonym of a patient, `CRK` and 16 letters and digits; an own pseudonym stays.

        Parameters
        ----------
        identity : str
            From `patient_identity`.
        """
        if self.is_own_pseudonym(identity):
            return identity
        body = base64.b32encode(_keyed(self._identity, identity)[:10])[:_PSEUDONYM_BODY].decode()
        return PSEUDONYM_PREFIX + body + self._check_of_pseudonym(body)

    def is_own_pseudonym(self, text: str) -> bool:
        """True if this key made the pseudonym."""
        if not _PSEUDONYM.fullmatch(text):
            return False
        body = text[len(PSEUDONYM_PREFIX) :][:_PSEUDONYM_BODY]
        return text.endswith(self._check_of_pseudonym(body))

    def _check_of_pseudonym(self, body: str) -> str:
        return base64.b32encode(_keyed(self._identity_check, body)[:5])[:4].decode()

    def shift_days(self, identity: str) -> int:
        """Whole days to add to every date of a patient: -1 to -3650; 0 for who was shifted before.

        Parameters
        ----------
        identity : str
            From `patient_identity`.
        """
        if self.is_own_pseudonym(identity):
            return 0
        return -1 - int.from_bytes(_keyed(self._shift, identity)[:8], "big") % LONGEST_SHIFT_DAYS


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")


def patient_identity(patient_id: str | None, name: str | None, birth_date: str | None, study_uid: str | None) -> str:
    """Who an object is about, as one canonical text: the same for every object of a patient.

    PatientID; without it, name and birth date; without a name, the study, which then stands for a patient of its own.
    PatientID counts alone: its issuer is missing or written differently in some objects of a patient, which would tear
    them apart. A PatientID is its own identity, so that an own pseudonym is recognised.

    Parameters
    ----------
    patient_id, name, birth_date, study_uid : str or None
        Values as stored: (0010,0020), (0010,0010), (0010,0030), (0020,000D).
    """
    number = _canonical(patient_id)
    if number:
        return number
    person = _canonical_name(name)
    if person:
        return _SEPARATOR.join(("named", person, _canonical(birth_date).replace(".", "")))
    return _SEPARATOR.join(("study", _canonical(study_uid)))


def _canonical(text: str | None) -> str:
    return " ".join((text or "").split("\0")[0].split())


def _canonical_name(name: str | None) -> str:
    """The alphabetic group of a person's name in capitals, without empty components at its end (PS3.5 6.2.1)."""
    group = _canonical(name).split("=")[0]
    return "^".join(part.strip() for part in group.split("^")).rstrip("^ ").upper()


def load_or_make_key(path: Path) -> tuple[ProjectKey, bool]:
    """Read the project key, or make one where no file is; the second value tells that it was made.

    A new file holds 32 random bytes as text and is readable by its owner alone. Any other file of 16 bytes or more
    is taken as a key as it is, but for line ends at its end.

    Raises
    ------
    InputError
        If there is a file, and it holds no key.
    OutputError
        If there is none, and none can be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_key(path), False
    except OSError as error:
        raise OutputError(
            f"{path}: a project key cannot be made there ({error.strerror or 'unknown error'}); "
            "choose a folder that exists and may be written to"
        ) from error
    secret = secrets.token_bytes(NEW_KEY_BYTES)
    try:
        with os.fdopen(descriptor, "wb") as f:
            f.write(KEY_FILE_MARK + base64.b64encode(secret) + b"\n")
            f.flush()
            os.fsync(f.fileno())
    except OSError as error:
        # Half a key must not be taken for one by the next run.
        with suppress(OSError):
            path.unlink()
        raise OutputError(f"{path}: the new project key could not be written whole; is the disk full?") from error
    return ProjectKey(secret), True


def load_key(path: Path) -> ProjectKey:
    """Read a project key.

    Raises
    ------
    InputError
        If there is no file, or it holds no key.
    """
    try:
        with path.open("rb") as f:
            content = f.read(LARGEST_KEY_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise InputError(f"{path}: the project key cannot be read ({reason}); give the file that holds it") from error
    if len(content) > LARGEST_KEY_BYTES:
        raise InputError(f"{path}: a project key has at most {LARGEST_KEY_BYTES} bytes; this file was not meant as one")
    if content.startswith(KEY_FILE_MARK):
        return ProjectKey(_made_secret(path, content))
    secret = content.rstrip(b"\r\n")
    if len(secret) < SMALLEST_KEY_BYTES:
        raise InputError(
            f"{path}: a project key needs at least {SMALLEST_KEY_BYTES} bytes, this file holds {len(secret)}; "
            "name a file that does not exist yet, and a key is made there"
        )
    return ProjectKey(secret)


def _made_secret(path: Path, content: bytes) -> bytes:
    try:
        secret = base64.b64decode(content[len(KEY_FILE_MARK) :].strip(), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != NEW_KEY_BYTES:
        raise InputError(f"{path}: this project key is damaged; restore it from a copy")
    return secret


def key_findings(path: Path) -> tuple[Finding, ...]:
    """What should be said about a key file that works: others than its owner may read it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name != "posix" or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ()
    message = f"others than its owner may read the project key {path}; chmod 600 keeps it secret"
    return (Finding("project-key-readable", message, {"mode": f"{mode:o}"}),)
