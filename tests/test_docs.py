"""The documentation is true: snippets run, examples in docstrings hold, reference pages name what there is."""

from __future__ import annotations

import contextlib
import doctest
import fnmatch
import importlib
import importlib.util
import io
import json
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import pytest

import cormack
from cormack.cli.main import main

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DOCS = PROJECT_ROOT / "docs"
FENCE = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A page with this mark finds the digital head as DICOM in `head`.
NEEDS_PHANTOM = "<!-- phantom -->"


def snippets(page: Path) -> list[tuple[str, str, int]]:
    text = page.read_text(encoding="utf-8")
    return [(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


PAGES = sorted(p for p in (PROJECT_ROOT / "README.md", *DOCS.rglob("*.md")) if snippets(p))


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "head"
    assert main(["phantom", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_console(text: str) -> None:
    """Run the `$` lines; the lines below each must be what it printed (`...` stands for anything)."""
    commands = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not commands[0].strip(), "a console snippet begins with a $ line"
    for command in commands[1:]:
        words, _, shown = command.partition("\n")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            name, *arguments = shlex.split(words)
            assert name == "cormack", f"only cormack commands are run, not {name}"
            code = main(arguments)
        assert code == 0, printed.getvalue()
        if shown.strip():
            pattern = "\n".join(shown.strip().split("\n")).replace("[", "[[]").replace("...", "*")
            assert fnmatch.fnmatchcase(printed.getvalue().strip(), pattern), printed.getvalue()


def run_page(page: Path) -> None:
    names: dict[str, object] = {"__name__": page.stem}
    for kind, text, line in snippets(page):
        if kind == "console":
            run_console(text)
        else:
            padded = "\n" * line + text
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(padded, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(PROJECT_ROOT).as_posix())
def test_snippets_run(page: Path, desk: Path, request: pytest.FixtureRequest) -> None:
    if NEEDS_PHANTOM in page.read_text(encoding="utf-8"):
        shutil.copytree(request.getfixturevalue("phantom"), desk / "head")
    run_page(page)


MODULES = [
    "cormack",
    *(m.name for m in pkgutil.walk_packages(cormack.__path__, "cormack.") if not m.name.endswith("__main__")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str, desk: Path) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_command_line_page_is_what_the_program_says() -> None:
    spec = importlib.util.spec_from_file_location("cli_reference", PROJECT_ROOT / "scripts" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    # Line breaks may differ between versions of click; words may not.
    assert squeezed(reference.PAGE.read_text(encoding="utf-8")) == squeezed(reference.page()), (
        "run scripts/cli_reference.py"
    )


def test_every_warning_is_listed() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (PROJECT_ROOT / "src").rglob("*.py"))
    codes = set(re.findall(r'\bFinding\(\s*"([a-z][a-z-]+)"', source))
    listed = re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "reference" / "warnings.md").read_text("utf-8"), re.MULTILINE)
    assert len(codes) > 20
    assert sorted(listed) == sorted(codes)


def test_every_output_and_field_is_listed(phantom: Path, desk: Path) -> None:
    command = ["run", str(phantom), "out", "--participant-label", "01", "--cormack-units", "--quiet"]
    assert main(command) == 0
    assert main(["convert", str(phantom), "alone.nii.gz", "--both", "--source-uids", "--quiet"]) == 0
    page = (DOCS / "reference" / "outputs.md").read_text(encoding="utf-8")
    files = [p.relative_to("out").as_posix() for p in Path("out").rglob("*") if p.is_file()]
    unlisted = [f for f in files if f not in page and f.replace(".json", ".nii.gz") not in page and ".tsv" not in page]
    assert unlisted == []
    sidecars = [p for p in Path().rglob("*.json") if p.name not in ("dataset_description.json", "sub-01_volumes.json")]
    fields = set().union(*(json.loads(p.read_text(encoding="utf-8")) for p in sidecars))
    columns = set(json.loads(Path("out/sub-01/ct/sub-01_volumes.json").read_text(encoding="utf-8")))
    named = set(re.findall(r"`([^`]+)`", page))
    assert sorted((fields | columns) - named) == []


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    missing = [t for t in targets if "://" not in t and not (PROJECT_ROOT / t).exists()]
    assert missing == []
