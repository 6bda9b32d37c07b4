"""Planted identifiers and kept facts, scored as in the MIDI-B challenge: correct actions / required actions.

    CORMACK_SHARED=../shared python benchmarks/deidentify_score.py [--packaged] [--keep FOLDER]

Objects of every kind (pydicom's test files, `dicom_edge`, `head_ct`, and made ones) are seeded with identifiers of four
made-up patients in the places that `deidentify_planting.py` lists, and de-identified by the command line under three
choices of options. No planted byte sequence may be in any output, its name, the report, the audit or on the terminal.
What is harmless must be there unchanged: geometry, technique, pixels, references, dates at the same distances.
`--packaged` takes pydicom's files and the made ones only; `--keep` leaves inputs and outputs in a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.uid import generate_uid

from deidentify_judge import harmless_values, judge_kept, judge_needles, needles_for
from deidentify_objects import base_objects
from deidentify_planting import all_plantings, plant_identity, written
from deidentify_plants import PEOPLE, Plants

#: Choices of options: what a data-protection officer likes, what serial imaging needs, and all that retains.
CHOICES: dict[str, tuple[str, ...]] = {
    "basic profile": (),
    "modified dates": (
        "retain-longitudinal-modified-dates", "retain-patient-characteristics", "retain-safe-private",
        "clean-descriptors", "clean-structured-content", "clean-graphics",
    ),
    "everything retained": (
        "retain-longitudinal-full-dates", "retain-uids", "retain-device-identity", "retain-institution",
        "retain-patient-characteristics", "retain-safe-private", "clean-descriptors", "clean-structured-content",
        "clean-graphics",
    ),
}  # fmt: skip


@dataclass
class Score:
    """Right and wrong actions by category, and the first wrong ones in words."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, category: str, correct: bool, what: str = "") -> None:
        """Count one required action."""
        (self.right if correct else self.wrong)[category] += 1
        if not correct:
            self.failures.append(f"{category}: {what}")

    @property
    def percent(self) -> float:
        """Correct actions of all required ones."""
        required = self.right.total() + self.wrong.total()
        return 100.0 * self.right.total() / required if required else 0.0

    def lines(self) -> Iterator[str]:
        """The table."""
        for category in sorted({*self.right, *self.wrong}):
            right, wrong = self.right[category], self.wrong[category]
            yield f"  {category:44s} {right:8d} of {right + wrong:8d}"
        yield f"  {'score':44s} {self.percent:8.3f} %"


@dataclass
class Corpus:
    """Seeded files, the objects they were made of by InstanceNumber, and how many identifiers went where."""

    folder: Path
    originals: dict[int, Dataset]
    kinds: dict[int, str]
    harmless: dict[int, dict[str, str]]
    planted: Counter[str]


def make_corpus(folder: Path, shared: Path | None, *, every: bool = True) -> Corpus:
    """Write seeded files, and one file per object that holds identity in the usual places only (planting `plain`).

    Without `every`, two of the plantings are done to each object in turn.
    """
    listed = listed_tags()
    makers = {"plain": None, **all_plantings(listed)}
    names = tuple(makers)
    corpus = Corpus(folder, {}, {}, {}, Counter())
    folder.mkdir(parents=True)
    number = 0
    for place, (kind, base) in enumerate(base_objects(shared)):
        turns = [0, 1 + 2 * place % (len(names) - 1), 1 + (2 * place + 1) % (len(names) - 1)]
        for planting in names if every else [names[turn] for turn in turns]:
            number += 1
            dataset = pydicom.dcmread(as_bytes(base), force=True)
            plants = Plants(PEOPLE[place % len(PEOPLE)], start=number * 7)
            if planting != "plain":
                dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str(base.SOPInstanceUID), str(number)])
            before = harmless_values(dataset)
            plant_identity(dataset, plants)
            dataset.InstanceNumber = number
            maker = makers[planting]
            if maker is not None:
                maker(dataset, plants)
            (folder / f"{plants.person.given}_{number:04d}.dcm").write_bytes(written(dataset, plants))
            now = harmless_values(dataset)
            corpus.harmless[number] = {word: value for word, value in before.items() if now.get(word) == value}
            corpus.originals[number], corpus.kinds[number] = dataset, f"{kind} [{planting}]"
            corpus.planted.update(plants.counts)
    return corpus


def as_bytes(base: Dataset) -> object:
    """A fresh copy of an object as a file in memory."""
    import io

    target = io.BytesIO()
    pydicom.dcmwrite(target, base, enforce_file_format=True)
    target.seek(0)
    return target


def listed_tags() -> list[int]:
    """Tags of table E.1-1, from the JSON of the standard, else from the table in the package."""
    path = shared_folder() / "standard/confidentiality_profile_attributes.json"
    if path.is_file():
        written_tags = [row["tag"] for row in json.loads(path.read_text("utf-8"))]
    else:
        from cormack.dicom.deidentify.profile import profile_rows

        written_tags = [row.tag for row in profile_rows()]
    return [int(t[1:5] + t[6:10], 16) for t in written_tags if not any(letter in t for letter in "XGE ")]


def shared_folder() -> Path:
    """The folder of real data."""
    return Path(os.environ.get("CORMACK_SHARED") or "../shared") / "data"


def deidentify(source: Path, target: Path, key: Path, options: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    switches = [f"--{option}" for option in options]
    command = [
        sys.executable,
        "-m",
        "cormack",
        "deidentify",
        str(source),
        str(target),
        "--project-key",
        str(key),
        *switches,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def judge(
    corpus: Corpus, target: Path, run: subprocess.CompletedProcess[str], options: tuple[str, ...]
) -> tuple[Score, Counter[str]]:
    """Score one run; also the kinds of objects that were refused."""
    score = Score()
    needles = needles_for(PEOPLE, options)
    outputs: dict[int, Dataset] = {}
    for path in sorted(target.rglob("*")):
        judge_needles(str(path.relative_to(target)).encode(), f"name of {path.suffix}", needles, score)
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.suffix != ".dcm":
            judge_needles(data, path.name, needles, score)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            outputs[int(dataset.InstanceNumber)] = dataset
            judge_needles(data, corpus.kinds[int(dataset.InstanceNumber)], needles, score, dataset)
    judge_needles((run.stdout + run.stderr).encode(), "terminal", needles, score)
    judge_kept(corpus.originals, outputs, corpus.kinds, corpus.harmless, options, score)
    refused = Counter(kind.split(" [")[0] for number, kind in corpus.kinds.items() if number not in outputs)
    for number, kind in corpus.kinds.items():
        if not may_be_refused(kind, options):
            score.add("object kept", number in outputs, kind)
    return score, refused


def may_be_refused(kind: str, options: tuple[str, ...]) -> bool:
    """Documents that nobody can look into, reports unless they are cleaned, pixels that may show text."""
    report = any(word in kind for word in ("key objects", " SR Storage")) and "clean-structured-content" not in options
    pixels = any(word in kind.casefold() for word in ("secondary capture", "ultrasound", "radiography"))
    return report or pixels or "encapsulated" in kind


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packaged", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--failures", type=int, default=40)
    arguments = parser.parse_args()
    shared = None if arguments.packaged or not shared_folder().is_dir() else shared_folder()
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = arguments.keep or Path(temporary)
        corpus = make_corpus(root / "in", shared)
        print(f"{len(corpus.originals)} objects, {corpus.planted.total()} identifiers planted:")
        for place, count in sorted(corpus.planted.items()):
            print(f"  {place:44s} {count:8d}")
        for name, options in CHOICES.items():
            target = root / name.replace(" ", "_")
            run = deidentify(corpus.folder, target, root / "project.key", options)
            score, refused = judge(corpus, target, run, options)
            print(f"{name}: exit code {run.returncode}, {refused.total()} objects refused")
            for kind, count in sorted(refused.items()):
                print(f"  refused: {count:4d} {kind}")
            print("\n".join(score.lines()))
            for failure in Counter(score.failures).most_common(arguments.failures):
                print("  WRONG", failure[1], failure[0])
            if run.returncode not in (0, 1):
                print(run.stderr[-2000:])


if __name__ == "__main__":
    main()
