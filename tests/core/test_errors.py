import inspect
import re

from cormack.core import errors


def test_every_error_stands_in_the_tree_on_top_of_the_module():
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert set(re.findall(r"\b([A-Z]\w+Error)\b", errors.__doc__)) == classes
    assert all(issubclass(getattr(errors, name), errors.CormackError) for name in classes)
