import os

import numpy as np
import pytest

from cormack.cli.main import main
from cormack.cli.register import THREADS_VARIABLE
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import Volume
from cormack.files.nifti import write_labels, write_volume
from cormack.register.engine import GivenEngine

AFFINE = np.diag([8.0, 8.0, 8.0, 1.0])


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv(THREADS_VARIABLE, "1")
    data = np.full((24, 24, 24), -1000, np.int16)
    data[4:20, 5:20, 6:20] = 40
    data[8:12, 8:12, 8:12] = 5
    write_volume(tmp_path / "a.nii.gz", Volume(data, AFFINE))
    write_labels(tmp_path / "mask.nii.gz", LabelMap((data > 0).astype(np.uint8), AFFINE, BRAIN))
    return tmp_path


def words(files, *more):
    masks = ["--mask-moving", str(files / "mask.nii.gz"), "--mask-fixed", str(files / "mask.nii.gz")]
    return ["register", str(files / "a.nii.gz"), str(files / "a.nii.gz"), str(files / "out"), "-q", *masks, *more]


def given(monkeypatch, matrix):
    monkeypatch.setattr("cormack.register.register.AntsEngine", lambda: GivenEngine(Affine(matrix)))


def test_the_outputs_are_written_and_the_choices_arrive(files, monkeypatch, capsys):
    given(monkeypatch, np.eye(4))
    assert main(words(files, "--trust-headers", "--working-spacing", "8", "--threads", "3")) == 0
    assert os.environ[THREADS_VARIABLE] == "3"
    assert (files / "out" / "transforms.json").is_file()
    assert "[default: 1" in " ".join(help_of(capsys).split())


def help_of(capsys) -> str:
    main(["register", "--help"])
    return capsys.readouterr().out


def test_a_failure_says_why_and_where_to_look(files, monkeypatch, capsys):
    away = np.eye(4)
    away[:3, 3] = 900
    given(monkeypatch, away)
    assert main(words(files, "--trust-headers", "--working-spacing", "8")) == 1
    told = capsys.readouterr().err
    assert "overlap" in told
    assert "report.html" in told


def test_an_unknown_template_and_wrong_words_are_refused(files, capsys):
    assert main(["register", str(files / "a.nii.gz"), "ct9", str(files / "out"), "-q"]) == 1
    assert "known are ct, mni152" in capsys.readouterr().err
    assert main(words(files, "--kind", "elastic")) == 2
    assert main(["template", "build", str(files / "a.nii.gz"), str(files / "out"), "-q"]) == 1
