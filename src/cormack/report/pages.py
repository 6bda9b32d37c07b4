"""The pages of `templates`."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@lru_cache(maxsize=4)
def page_template(name: str) -> Template:
    """A page of `templates`; what is put into it is escaped, and a name that it lacks is an error."""
    environment = Environment(
        loader=PackageLoader("cormack.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
