"""The encrypted look-up table: which patient a pseudonym stands for, readable with the project key alone.

AES-256-GCM (NIST SP 800-38D) with a key of its own from the project key. The mark and the label of the key are
authenticated with the table, so a file that was changed, cut or made with another key is refused as a whole.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cormack.core.errors import DependencyError, InputError, OutputError
from cormack.dicom.deidentify.project_key import ProjectKey

_MARK = b"cormack-lookup-1\n"
_LABEL_BYTES, _NONCE_BYTES, _TAG_BYTES = 12, 12, 16


@dataclass(frozen=True, order=True)
class LookupRow:
    """A patient: the new PatientID, the old one with its issuer, name and birth date, and the shift of dates."""

    pseudonym: str
    patient_id: str
    issuer: str = ""
    patient_name: str = ""
    birth_date: str = ""
    shift_days: int | None = None


def check_available() -> None:
    """Refuse early where the table could not be written.

    Raises
    ------
    DependencyError
        If the package cryptography is missing.
    """
    _cipher(bytes(32))


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise DependencyError(
            "the encrypted look-up table needs the package cryptography: pip install 'cormack[lookup]'"
        ) from error
    return AESGCM(key)


def write_lookup(path: Path, rows: Iterable[LookupRow], key: ProjectKey) -> int:
    """Write the table, readable by its owner alone; a file that is there is replaced. Returns the number of rows.

    Raises
    ------
    DependencyError
        If the package cryptography is missing.
    OutputError
        If the file cannot be written.
    """
    table = sorted(set(rows), key=lambda row: (row.pseudonym, row.patient_id, row.issuer))
    plain = json.dumps([asdict(row) for row in table], ensure_ascii=False).encode("utf-8", "surrogatepass")
    head, nonce = _MARK + key.label.encode(), secrets.token_bytes(_NONCE_BYTES)
    content = head + nonce + _cipher(key.derive("lookup")).encrypt(nonce, plain, head)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.cormack-part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: the look-up table cannot be written ({error.strerror or 'unknown error'})"
        ) from error
    return len(table)


def read_lookup(path: Path, key: ProjectKey) -> tuple[LookupRow, ...]:
    """Read a table.

    Raises
    ------
    DependencyError
        If the package cryptography is missing.
    InputError
        If the file is no look-up table, was made with another key, or was changed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the look-up table cannot be read ({error.strerror or 'unknown error'})") from error
    start = len(_MARK) + _LABEL_BYTES
    if not content.startswith(_MARK) or len(content) < start + _NONCE_BYTES + _TAG_BYTES:
        raise InputError(f"{path}: this is no look-up table of Cormack, or it was cut")
    head, nonce, sealed = content[:start], content[start : start + _NONCE_BYTES], content[start + _NONCE_BYTES :]
    if head != _MARK + key.label.encode():
        raise InputError(f"{path}: this look-up table was made with another project key")
    cipher = _cipher(key.derive("lookup"))
    from cryptography.exceptions import InvalidTag

    try:
        plain = cipher.decrypt(nonce, sealed, head)
    except InvalidTag as error:
        raise InputError(f"{path}: this look-up table was changed or damaged after it was written") from error
    return tuple(LookupRow(**row) for row in json.loads(plain.decode("utf-8", "surrogatepass")))
