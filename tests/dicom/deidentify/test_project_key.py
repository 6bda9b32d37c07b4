"""Pseudonyms, UIDs and shifts by keyed hashes, and the file that holds the key."""

import errno
import hashlib
import hmac
import os
import pickle
import re
import stat
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from cormack.core.errors import InputError, OutputError
from cormack.dicom.deidentify import project_key
from cormack.dicom.deidentify.project_key import (
    ProjectKey,
    key_findings,
    load_key,
    load_or_make_key,
    patient_identity,
)

KEY = ProjectKey(bytes(range(32)))
OTHER = ProjectKey(bytes(range(1, 33)))
UIDS = st.one_of(
    st.from_regex(r"[0-2](\.(0|[1-9]\d{0,9})){1,6}", fullmatch=True),
    st.text(min_size=1).filter(lambda t: t.strip(" \0")),
)


@given(UIDS)
def test_uids_are_valid_stable_and_recognised(original: str) -> None:
    uid = KEY.uid(original)
    assert UID(uid).is_valid
    assert len(uid) <= 64
    made = uuid.UUID(int=int(uid.removeprefix("2.25.")))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert KEY.uid(original) == uid == KEY.uid(uid) == KEY.uid(f"{uid}\0")
    assert KEY.is_own_uid(uid)
    assert not OTHER.is_own_uid(uid)
    assert OTHER.uid(original) != uid
    assert OTHER.uid(uid) != uid


@given(st.lists(UIDS, unique_by=lambda t: t.strip(" \0")))
def test_different_uids_stay_different(originals: list[str]) -> None:
    assert len({KEY.uid(original) for original in originals}) == len(originals)


@given(st.uuids(version=4))
def test_foreign_uuids_are_not_taken_for_own(foreign: uuid.UUID) -> None:
    assert not KEY.is_own_uid(f"2.25.{foreign.int}")


@pytest.mark.parametrize("bits", range(0, 128, 7))
def test_a_changed_uid_is_not_own(bits: int) -> None:
    uid = KEY.uid("1.2.840.113619.2.55.3")
    changed = f"2.25.{int(uid[5:]) ^ (1 << bits)}"
    assert not KEY.is_own_uid(changed)


@pytest.mark.parametrize("text", ["", "2.25.", "2.25.0", "2.25.01", f"2.25.{2**128}", "1.2.3", "2.25.1\n"])
def test_what_is_no_uid_of_a_uuid_is_not_own(text: str) -> None:
    assert not KEY.is_own_uid(text)


def test_an_empty_uid_stays_empty() -> None:
    assert KEY.uid("") == KEY.uid("\0") == ""


@given(st.text())
def test_pseudonyms(identity: str) -> None:
    name = KEY.pseudonym(identity)
    assert re.fullmatch("CRK[A-Z2-7]{16}", name)
    assert KEY.pseudonym(identity) == name == KEY.pseudonym(name)
    assert KEY.is_own_pseudonym(name)
    assert not OTHER.is_own_pseudonym(name)
    assert OTHER.pseudonym(identity) != name


@given(st.text())
def test_shifts_are_whole_days_back(identity: str) -> None:
    assert -3650 <= KEY.shift_days(identity) <= -1
    assert KEY.shift_days(KEY.pseudonym(identity)) == 0


def test_shifts_are_spread_evenly() -> None:
    shifts = [KEY.shift_days(str(number)) for number in range(20_000)]
    assert abs(sum(shifts) / len(shifts) + 1825.5) < 30  # standard error 7.5 days
    assert len(set(shifts)) > 3600


def test_the_construction_is_hmac_sha_256_of_the_standard_library() -> None:
    """A second implementation, so that the names can be made again without this one."""
    secret = bytes(range(32))

    def sub(purpose: str) -> bytes:
        return hmac.new(secret, b"cormack deidentify 1: " + purpose.encode(), hashlib.sha256).digest()

    hashed = hmac.new(sub("uid"), b"1.2.3", hashlib.sha256).digest()
    bits = f"{int.from_bytes(hashed, 'big'):0256b}"[:90]
    high = bits[:48] + "1000" + bits[48:60] + "10" + bits[60:90]
    check = hmac.new(sub("uid check"), int(high, 2).to_bytes(12, "big"), hashlib.sha256).hexdigest()[:8]
    assert KEY.uid("1.2.3") == f"2.25.{int(high + f'{int(check, 16):032b}', 2)}"
    days = int.from_bytes(hmac.new(sub("shift"), b"A", hashlib.sha256).digest()[:8], "big") % 3650
    assert KEY.shift_days("A") == -1 - days


def test_the_key_is_not_shown_and_travels_in_a_pickle() -> None:
    secret = b"a secret nobody may see in a log"
    key = ProjectKey(secret)
    for text in (repr(key), str(key), f"{key}", key.label):
        assert secret.decode() not in text
        assert secret.hex() not in text
    assert pickle.loads(pickle.dumps(key)).uid("1.2.3") == key.uid("1.2.3")
    assert not hasattr(key, "__dict__")
    assert key.label != OTHER.label


def test_identities() -> None:
    assert patient_identity(" 123 \0x", "Doe^John", "19700101", "1.2") == "123"
    named = patient_identity("", "Doe^John^^ ", "19700402", "1.2")
    assert named == patient_identity(None, "DOE^JOHN=山田^太郎", "1970.04.02", "1.3")
    assert named != patient_identity(None, "Doe^John", "19700403", "1.2")
    study = patient_identity("", "^^", "", "1.2.3")
    assert study != patient_identity(None, None, None, "1.2.4")
    assert study != patient_identity("1.2.3", None, None, None)
    # The text of one kind of identity cannot be written into another's.
    assert patient_identity(named, None, None, None) != named
    own = KEY.pseudonym("123")
    assert patient_identity(own, None, None, None) == own


def test_a_key_is_made_once(tmp_path) -> None:
    path = tmp_path / "project.key"
    key, made = load_or_make_key(path)
    again, made_again = load_or_make_key(path)
    assert (made, made_again) == (True, False)
    assert key.label == again.label == load_key(path).label
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().isascii()
    other, _ = load_or_make_key(tmp_path / "other.key")
    assert other.label != key.label


def test_a_wide_umask_does_not_open_a_new_key(tmp_path) -> None:
    before = os.umask(0)
    try:
        load_or_make_key(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"sixteen bytes ok", b"\x00\xff" * 16, b"sixteen bytes ok\r\n"])
def test_other_files_are_keys_as_they_are(tmp_path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    key, made = load_or_make_key(path)
    assert not made
    assert key.label == ProjectKey(content.rstrip(b"\r\n")).label
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"", b"short", b"fifteen bytes !\n\n\n", project_key.KEY_FILE_MARK + b"AAAA\n", b"x" * (64 * 1024 + 1)]
)
def test_what_is_no_key_is_refused_and_left_alone(tmp_path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(InputError, match="key"):
        load_or_make_key(path)
    assert path.read_bytes() == content


def test_folders_and_missing_folders(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_or_make_key(tmp_path)
    with pytest.raises(OutputError, match="folder that exists"):
        load_or_make_key(tmp_path / "missing" / "key")
    with pytest.raises(InputError, match="cannot be read"):
        load_key(tmp_path / "missing")


def test_a_full_disk_leaves_no_half_key(tmp_path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(project_key.os, "fsync", full)
    with pytest.raises(OutputError, match="disk full"):
        load_or_make_key(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_an_open_key_is_told_of(tmp_path) -> None:
    path = tmp_path / "key"
    load_or_make_key(path)
    assert key_findings(path) == ()
    path.chmod(0o640)
    (finding,) = key_findings(path)
    assert finding.code == "project-key-readable"
    assert "chmod 600" in finding.message
