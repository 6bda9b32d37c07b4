import errno
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from cormack.core.errors import OutputError
from cormack.files.outputs import PART_SUFFIX, OutputSet, check_apart, explain_os_error, sweep_parts


def everything_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_files_appear_together(tmp_path):
    with OutputSet(tmp_path / "new") as outputs:
        outputs.write_text("a/one.txt", "1")
        outputs.write_text("two.txt", "2")
        assert not (tmp_path / "new/a/one.txt").exists()
    assert everything_below(tmp_path) == ["new", "new/a", "new/a/one.txt", "new/two.txt"]


def test_failure_leaves_nothing(tmp_path):
    outputs = OutputSet(tmp_path / "new")
    with pytest.raises(ZeroDivisionError), outputs:
        outputs.write_text("a/one.txt", "1")
        raise ZeroDivisionError
    assert everything_below(tmp_path) == []


def test_failure_keeps_what_stood_there(tmp_path):
    (tmp_path / "one.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt), OutputSet(tmp_path) as outputs:
        outputs.write_text("one.txt", "new")
        raise KeyboardInterrupt
    assert (tmp_path / "one.txt").read_text() == "old"
    assert everything_below(tmp_path) == ["one.txt"]


def test_full_disk_is_said_and_nothing_left(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OutputError, match="disk is full"), OutputSet(tmp_path / "new") as outputs:
            outputs.write_text("big.txt", "x" * 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert everything_below(tmp_path) == []


def test_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(OutputError, match="a file stands where a folder is needed"),
        OutputSet(tmp_path / "out") as outputs,
    ):
        outputs.write_text("a.txt", "1")


@pytest.mark.parametrize(
    ("code", "words"), [(errno.EACCES, "no permission"), (errno.EROFS, "no permission"), (errno.EIO, "EIO")]
)
def test_other_failures_in_plain_words(tmp_path, code, words):
    assert words in explain_os_error(OSError(code, "x"), tmp_path)


def test_killed_run_leaves_only_marked_parts_and_the_next_sweeps_them(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from cormack.files.outputs import OutputSet\n"
        "with OutputSet(Path(sys.argv[1])) as o:\n"
        "    o.write_text('a.txt', 'half'); print('ready', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    left = everything_below(tmp_path)
    assert len(left) == 1
    assert left[0].endswith(PART_SUFFIX)
    time.sleep(0.01)
    assert sweep_parts(tmp_path) == 1
    assert sweep_parts(tmp_path / "none") == 0
    assert everything_below(tmp_path) == []


def test_output_may_not_lie_in_the_input(tmp_path):
    (tmp_path / "in/derivatives").mkdir(parents=True)
    source = tmp_path / "in"
    for output in (source, source / "out", source / "a/../b"):
        with pytest.raises(OutputError, match="inside the input"):
            check_apart(source, output)
    check_apart(source, tmp_path / "out")
    check_apart(source, source / "derivatives/cormack", allowed=source / "derivatives")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(OutputError):
        check_apart(source, tmp_path / "link/out")
    file = source / "scan.nii.gz"
    file.write_text("x")
    with pytest.raises(OutputError):
        check_apart(file, file)
    check_apart(file, source / "out")
