"""What the server answers, and what it does not, asked for over a real connection."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest

from cormack.cli.main import main
from cormack.core.errors import InputError
from cormack.core.volume import Volume
from cormack.files.nifti import write_volume
from cormack.imaging.windows import WINDOWS
from cormack.pipeline.phantom import make_phantom_series
from cormack.viewer.app import Shelf
from cormack.viewer.serve import serve
from cormack.viewer.sources import Source, Sources, find_sources


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("scans")
    inside = root / "inside"
    inside.mkdir()
    for path, value in ((inside / "scan.nii", 40), (inside / "second.nii", 41), (root / "secret.nii", 99)):
        data = np.full((6, 5, 4), value, np.int16)
        data[0] = -1000
        write_volume(path, Volume(data, np.eye(4)))
    return inside


@pytest.fixture(scope="module")
def address(start, folder):
    return urlsplit(start(folder))


def get(address, path, host=None):
    """The answer to a path as it stands: no client tidies it up before."""
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.putrequest("GET", path, skip_host=host is not None)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_page_and_its_parts_come_with_the_token(address):
    answer, body = get(address, address.path)
    assert answer.status == 200
    assert b"<title>Cormack viewer</title>" in body
    for part in ("page/main.js", "page/style.css", "page/niivue.js"):
        answer, body = get(address, address.path + part)
        assert (answer.status, len(body) > 500) == (200, True)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_scene_names_scans_and_windows(address):
    scene = json.loads(get(address, address.path + "scene")[1])
    assert [scan["name"] for scan in scene["scans"]] == ["scan", "second"]
    assert [window["name"] for window in scene["windows"]] == list(WINDOWS)
    assert scene["windows"][0] == {"name": "brain", "low": 0.0, "high": 80.0}


def test_voxels_come_as_they_are(address):
    answer, body = get(address, address.path + "scans/0/voxels")
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == len(body) == 352 + 6 * 5 * 4 * 2
    assert get(address, address.path + "scans/0/labels")[1] == b""
    assert len(get(address, address.path + "scans/0/preview")[1]) == len(body)


@pytest.mark.parametrize(
    "path", ["/", "/scene", "//scene", "/wrong/", "/wrong/scene", "/wrong/scans/0/voxels", "/page/main.js"]
)
def test_without_the_token_there_is_nothing(address, path):
    answer, body = get(address, path)
    assert answer.status == 404
    assert b"Cormack" not in body


@pytest.mark.parametrize(
    "path",
    [
        "page/../sources.py",
        "page/../../secret.nii",
        "page/..%2f..%2fsecret.nii",
        "page/%2e%2e/%2e%2e/secret.nii",
        "page/..%5csources.py",
        "page/%252e%252e%252fsources.py",
        "page//etc/passwd",
        "page/%2fetc%2fpasswd",
        "page/main.js%00.css",
        "page/app.py",
        "page/",
        "scans/2/voxels",
        "scans/-1/voxels",
        "scans/0/../../secret.nii",
        "scans/0/secret",
        "scans/..%2fsecret.nii/voxels",
        "../secret.nii",
        "scan.nii",
    ],
)
def test_no_address_leads_to_another_file(address, path):
    answer, body = get(address, address.path + path)
    assert answer.status in (400, 404)
    assert b"root:" not in body
    assert b"import" not in body


def test_only_names_of_this_machine_are_answered(address):
    # A page of another host whose name was turned to 127.0.0.1 still says that host's name.
    assert get(address, address.path, host="evil.example")[0].status == 400
    assert get(address, address.path, host=f"localhost:{address.port}")[0].status == 200


def test_only_this_machine_can_connect(address):
    assert address.hostname == "127.0.0.1"


def test_a_file_that_vanished_and_one_that_cannot_be_read_are_told_apart(start, tmp_path):
    for name in ("gone", "broken"):
        (tmp_path / f"{name}.nii").write_bytes(b"no image at all")
    address = urlsplit(start(tmp_path / "broken.nii", tmp_path / "gone.nii"))
    (tmp_path / "gone.nii").unlink()
    answer, body = get(address, address.path + "scans/1/facts")
    assert answer.status == 404
    assert "is gone since the viewer was started" in json.loads(body)["error"]
    answer, body = get(address, address.path + "scans/0/facts")
    assert answer.status == 422
    assert "not a readable NIfTI file" in json.loads(body)["error"]


def test_nothing_of_the_header_of_a_person_reaches_the_page(start, tmp_path):
    export = make_phantom_series(tmp_path / "export", slices=6, thickness_mm=20.0, pixels=64).folder
    from pydicom import dcmread

    words = set()
    for path in (p for p in export.rglob("*") if p.is_file()):
        header = dcmread(path, stop_before_pixels=True, force=True)
        words |= {str(header.get(name, "")) for name in ("PatientName", "PatientID", "StudyDate", "StudyInstanceUID")}
        words |= {str(header.get(name, "")) for name in ("SeriesInstanceUID", "SOPInstanceUID", "AccessionNumber")}
    words.discard("")
    assert len(words) > 4
    address = urlsplit(start(export))
    told = b"".join(get(address, address.path + part)[1] for part in ("scene", "scans/0/facts"))
    head = get(address, address.path + "scans/0/voxels")[1][:352]
    assert [word for word in words if word.encode() in told + head] == []


def test_not_enough_memory_is_said(start, folder, monkeypatch):
    def full(source):
        raise MemoryError

    monkeypatch.setattr("cormack.viewer.app.prepare", full)
    monkeypatch.setattr(Shelf, "warm_up", lambda self: None)
    address = urlsplit(start(folder / "scan.nii"))
    answer, body = get(address, address.path + "scans/0/facts")
    assert answer.status == 507
    assert "not enough memory" in json.loads(body)["error"]


def test_scans_are_read_once_and_the_last_ones_kept(monkeypatch, tmp_path):
    read = []
    monkeypatch.setattr("cormack.viewer.app.prepare", lambda source: read.append(source.name) or source.name)
    shelf = Shelf(Sources(tuple(Source(name, tmp_path) for name in "abc")))
    callers = [threading.Thread(target=shelf.take, args=(0,)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert read == ["a"]
    for number in (1, 2, 1, 0):
        shelf.take(number)
    assert read == ["a", "b", "c", "a"]


def test_a_port_in_use_is_told(address, folder):
    with pytest.raises(InputError, match=f"port {address.port} cannot be used"):
        serve(find_sources([folder]), port=address.port)
    with pytest.raises(InputError, match="0 to 65535"):
        serve(find_sources([folder]), port=70_000)


def test_the_command_prints_the_address_and_ends_on_a_polite_kill(folder):
    command = [sys.executable, "-m", "cormack", "view", str(folder), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = urlsplit(process.stdout.readline().strip())
        assert get(address, address.path)[0].status == 200
        process.terminate()
        assert process.wait(60) == 0
        assert process.stdout.read() == "closed\n"


def test_the_command_says_what_it_cannot_show(tmp_path, capsys):
    assert main(["view", str(tmp_path / "nowhere"), "--no-browser"]) == 1
    assert "no such file or folder" in capsys.readouterr().err


def test_the_browser_is_opened_unless_told_otherwise(folder, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)

    def served(sources, *, port, ready):
        ready("http://127.0.0.1:1/token/")
        raise KeyboardInterrupt

    monkeypatch.setattr("cormack.viewer.serve.serve", served)
    assert main(["view", str(folder)]) == 0
    assert opened == ["http://127.0.0.1:1/token/"]
    assert main(["view", str(folder), "--no-browser"]) == 0
    assert len(opened) == 1
    assert capsys.readouterr().out.count("closed") == 2
