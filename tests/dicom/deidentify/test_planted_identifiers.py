"""Several hundred identifiers per object, in every place they can hide in: none survives, and what is harmless stays.

The seeding and the judging are those of `benchmarks/deidentify_score.py`, which knows nothing of how Cormack works.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("highdicom")
BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def scoring() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import deidentify_score
    finally:
        sys.path.remove(str(BENCHMARKS))
    return deidentify_score


@pytest.fixture(scope="module")
def corpus(scoring, tmp_path_factory):
    """Seeded objects of pydicom's and made ones; with CORMACK_SLOW=1 also of all kinds in the shared data."""
    shared = scoring.shared_folder() if os.environ.get("CORMACK_SLOW") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scoring.make_corpus(tmp_path_factory.mktemp("seeded") / "in", shared, every=bool(shared))


def test_identifiers_are_in_the_input_and_the_judge_sees_them(scoring, corpus) -> None:
    """A judge that finds nothing anywhere would be satisfied with everything."""
    needles = scoring.needles_for(scoring.PEOPLE, ())
    score = scoring.Score()
    for path in corpus.folder.iterdir():
        scoring.judge_needles(path.read_bytes(), path.name, needles, score)
    # Of four patients three are absent from each file, and UTF-16 is in none.
    assert score.wrong["identifier removed"] > 5 * len(corpus.originals)
    assert corpus.planted.total() > 300 * len(corpus.originals)


@pytest.mark.parametrize("choice", ["basic profile", "modified dates", "everything retained"])
def test_no_identifier_survives_and_what_is_harmless_stays(scoring, corpus, tmp_path, choice) -> None:
    options = scoring.CHOICES[choice]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = scoring.deidentify(corpus.folder, tmp_path / "out", tmp_path / "project.key", options)
        score, refused = scoring.judge(corpus, tmp_path / "out", run, options)
    assert not score.failures, Counter(score.failures).most_common(20)
    assert score.right.total() > 10_000
    assert refused["made: encapsulated PDF"]
    assert run.returncode == 1, "something was refused, and the exit code says so"
