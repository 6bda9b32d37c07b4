"""The background process, fed by hand."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_cases import config_text

from cormack.core.errors import CormackError
from cormack.learn.config import Config, read_config
from cormack.learn.generator import Generator
from cormack.learn.pool import SamplePool
from cormack.learn.sources import make_source, prepared
from cormack.pipeline.progress import Silent
from cormack.pipeline.worker_pool import serve


@pytest.fixture
def config(data: str, tmp_path: Path) -> Config:
    """A prepared configuration."""
    (tmp_path / "c.toml").write_text(config_text(data + "reuse = 2\n"))
    return prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent())


def test_numbers_are_answered_by_samples(config: Config) -> None:
    incoming = io.BytesIO(b"".join(pickle.dumps(message) for message in (config, 5, 6)))
    outgoing = io.BytesIO()
    serve(Generator, incoming, outgoing)
    outgoing.seek(0)
    ready, five, six = (pickle.load(outgoing) for _ in range(3))
    assert ready is True
    assert (five.number, six.number) == (5, 6)
    np.testing.assert_array_equal(five.samples[0].image, make_source(config).training(5)[0].image)


def test_a_failure_is_answered_too(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def training(self, number: int) -> None:
            raise CormackError("told") if number else ZeroDivisionError

    monkeypatch.setattr("cormack.learn.generator.make_source", lambda config: Broken())
    outgoing = io.BytesIO()
    serve(Generator, io.BytesIO(b"".join(pickle.dumps(message) for message in (config, 0, 1))), outgoing)
    outgoing.seek(0)
    _, unforeseen, told = (pickle.load(outgoing) for _ in range(3))
    assert str(unforeseen.error).startswith("sample 0 could not be made: ZeroDivisionError at test_generator.py")
    assert str(told.error) == "told"


def test_draws_depend_on_their_number_alone(config: Config) -> None:
    with SamplePool(config) as pool:
        drawn = [pool.draw(n) for n in range(8)]
    with SamplePool(config, 5) as pool:
        again = [pool.draw(n) for n in range(5, 8)]
    for first, second in zip(drawn[5:], again, strict=True):
        np.testing.assert_array_equal(first.image, second.image)


def test_a_pool_that_never_waits_gives_what_there_is(config: Config) -> None:
    with SamplePool(replace(config, data=replace(config.data, reuse=0))) as pool:
        assert len({pool.draw(n).name for n in range(40)}) >= 1
