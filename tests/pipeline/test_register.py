"""Registration of files: what is written, what is refused; templates by name."""

import json
import threading
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from cormack.core.errors import InputError, OutputError, RegistrationError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import write_labels, write_volume
from cormack.files.transforms import read_transform
from cormack.pipeline import templates as subject
from cormack.pipeline.progress import Silent
from cormack.pipeline.register import RegisterFiles, register_files
from cormack.pipeline.template import TemplateOptions, build_template_files
from cormack.register.engine import GivenEngine
from cormack.register.register import RegisterOptions
from cormack.register.templates import TEMPLATES, TemplateFile

SHAPE = (40, 48, 40)
AFFINE = np.array([[4.0, 0, 0, -78], [0, 4, 0, -94], [0, 0, 4, -78], [0, 0, 0, 1]])


def head_and_mask():
    x, y, z = np.meshgrid(*[np.arange(n) * 4.0 + AFFINE[a, 3] for a, n in enumerate(SHAPE)], indexing="ij")
    inside = (x / 66) ** 2 + (y / 84) ** 2 + (z / 70) ** 2
    data = np.where(inside < 1, 900, -1000)
    data = np.where(inside < 0.8, 34 + 8 * np.sin(x / 9) * np.cos(y / 13) + 8 * np.sin(z / 10 + y / 17), data)
    data = np.where((x - 20) ** 2 + (y - 10) ** 2 + z**2 < 15**2, 75, data)
    return Volume(data.astype(np.int16), AFFINE), LabelMap((inside < 0.8).astype(np.uint8), AFFINE, BRAIN)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    volume, mask = head_and_mask()
    shift = np.eye(4)
    shift[:3, 3] = (6, -4, 2)
    made = {name: tmp_path / f"{name}.nii.gz" for name in ("moving", "fixed", "mask", "moved_mask")}
    write_volume(made["fixed"], volume)
    write_labels(made["mask"], mask)
    write_volume(made["moving"], Volume(volume.data, shift @ AFFINE))
    write_labels(made["moved_mask"], LabelMap(mask.data, shift @ AFFINE, BRAIN))
    return made


def options(files, **changes) -> RegisterFiles:
    return RegisterFiles(
        moving_mask=files["moved_mask"],
        fixed_mask=files["mask"],
        options=RegisterOptions(spacing_mm=4.0, search=False),
        **changes,
    )


def test_a_registration_leaves_the_scan_the_transforms_both_ways_and_its_evidence(files, tmp_path):
    out = tmp_path / "out"
    made = register_files(files["moving"], files["fixed"], out, options(files))
    assert made.ok
    names = {path.name for path in out.iterdir()}
    assert names == {
        "warped.nii.gz",
        "warped.json",
        "registration.json",
        "report.html",
        "transforms.json",
        "from-moving_to-fixed_mode-image_xfm.mat",
        "from-fixed_to-moving_mode-image_xfm.mat",
    }
    there, back = read_transform(out), read_transform(out, inverse=True)
    np.testing.assert_allclose(there.apply([[0.0, 0, 0]]), [[6, -4, 2]], atol=0.3)
    np.testing.assert_allclose(back.apply(there.apply([[10.0, 20, 30]])), [[10, 20, 30]], atol=1e-6)
    record = json.loads((out / "registration.json").read_text())
    assert record["Failed"] is None
    assert record["Evidence"]["overlap"] > 0.95
    assert record["Region"] == {"moving": "given mask", "fixed": "given mask"}
    assert "Checkerboard" in (out / "report.html").read_text()


def test_a_failure_leaves_what_says_why_and_nothing_else(files, tmp_path, monkeypatch):
    away = np.eye(4)
    away[:3, 3] = 300
    monkeypatch.setattr("cormack.register.register.AntsEngine", lambda: GivenEngine(Affine(away)))
    out = tmp_path / "out"
    with pytest.raises(RegistrationError, match="overlap"):
        register_files(files["moving"], files["fixed"], out, replace(options(files), kind="affine"))
    assert {path.name for path in out.iterdir()} == {"registration.json", "report.html"}
    assert json.loads((out / "registration.json").read_text())["Failed"] == "registration-overlap"


def test_what_cannot_be_used_is_refused(files, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="known are ct, mni152"):
        register_files(files["moving"], "mni305", out)
    with pytest.raises(OutputError, match="originals"):
        register_files(tmp_path, files["fixed"], out)
    empty = tmp_path / "empty.nii.gz"
    write_labels(empty, LabelMap(np.zeros(SHAPE, np.uint8), AFFINE, BRAIN))
    with pytest.raises(InputError, match="empty mask"):
        register_files(files["moving"], files["fixed"], out, replace(options(files), lesions=empty))
    with pytest.raises(InputError, match="no such NIfTI file"):
        register_files(files["moving"], files["fixed"], out, replace(options(files), lesions=tmp_path / "none.nii"))
    assert not out.exists()


class Server(BaseHTTPRequestHandler):
    content = b""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A template whose files come from this machine, and an empty cache."""
    volume, _ = head_and_mask()
    path = tmp_path / "image.nii"
    write_volume(path, volume.with_data(volume.data.astype(np.float32) * 10 + 2000))
    Server.content = path.read_bytes()
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(subject, "template_cache", lambda: tmp_path / "cache")
    url = f"http://127.0.0.1:{server.server_port}/image.nii"
    yield TemplateFile("image.nii", sha256(Server.content).hexdigest(), url)
    server.shutdown()
    thread.join()
    server.server_close()


def served_entry(monkeypatch, file):
    monkeypatch.setitem(TEMPLATES, "ct", replace(TEMPLATES["ct"], image=file, brain=file, brain_level=2100.0))


def test_a_template_is_fetched_once_and_kept(served, tmp_path, monkeypatch):
    served_entry(monkeypatch, served)
    first = subject.load_template("ct", progress=Silent())
    assert (tmp_path / "cache" / "ct" / "image.nii").read_bytes() == Server.content
    Server.content = b"gone"
    again = subject.load_template("ct", progress=Silent())
    np.testing.assert_array_equal(first.volume.data, again.volume.data)
    assert first.volume.unit is Unit.HU
    (tmp_path / "cache" / "ct" / "image.nii").write_bytes(b"damaged")
    with pytest.raises(InputError, match="SHA-256"):
        subject.load_template("ct", progress=Silent())


def test_another_file_than_expected_is_not_kept(served, tmp_path, monkeypatch):
    served_entry(monkeypatch, replace(served, sha256="0" * 64))
    with pytest.raises(InputError, match="another file than expected"):
        subject.load_template("ct", progress=Silent())
    assert not (tmp_path / "cache" / "ct" / "image.nii").exists()


def test_without_a_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "template_cache", lambda: tmp_path)
    served_entry(monkeypatch, TemplateFile("image.nii", "0" * 64, "http://127.0.0.1:1/image.nii"))
    with pytest.raises(InputError, match="--template-dir"):
        subject.load_template("ct", progress=Silent())
    with pytest.raises(InputError, match=r"no image\.nii there"):
        subject.load_template("ct", folder=tmp_path, progress=Silent())


def test_the_template_of_nilearn_is_there_without_a_network():
    template = subject.load_template("mni152", progress=Silent())
    assert template.entry.space == "MNI152NLin2009aSym"
    assert template.volume.unit is Unit.ARBITRARY
    assert 1700 < template.brain.volume_ml() < 2000


def test_the_ct_template_has_the_brain_of_its_unsmoothed_sibling(shared_data):
    template = subject.load_template("ct", folder=shared_data / "ct_template", progress=Silent())
    assert 1800 < template.brain.volume_ml() < 1950
    inside = template.volume.data[template.brain.data > 0]
    assert 15 < np.median(inside) < 45


def test_a_template_is_built_of_files(files, tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.register.register.AntsEngine", lambda: GivenEngine(Affine.identity()))
    _, mask = head_and_mask()
    monkeypatch.setattr("cormack.pipeline.template.masked_side", lambda side, region: side.masked_by(mask_of(side)))
    chosen = TemplateOptions(rounds=("rigid",), spacing_mm=4.0)
    built = build_template_files([files["moving"], files["fixed"]], tmp_path / "out", chosen)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "template.nii.gz",
        "template_mask.nii.gz",
        "template.json",
    }
    assert built.mask.volume_ml() == pytest.approx(mask.volume_ml(), rel=0.05)
    assert json.loads((tmp_path / "out" / "template.json").read_text())["Scans"] == 2


def mask_of(side):
    return LabelMap(head_and_mask()[1].data, side.volume.affine, BRAIN)
