"""The source of samples that a configuration asks for."""

from __future__ import annotations

from cormack.core.errors import ConfigurationError
from cormack.learn.config import Config
from cormack.learn.sample import Source


def make_source(config: Config) -> Source:
    """A source of samples; what it needs has been prepared by `learn.prepare`."""
    if config.data.kind == "synthesis":
        from cormack.learn.synthetic import SyntheticSource

        return SyntheticSource(config)
    raise ConfigurationError("data.kind 'folder' is not built yet; give 'synthesis'")
