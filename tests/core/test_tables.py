import tomllib

from cormack.core.tables import to_toml


def test_what_is_written_is_read_back():
    table = {
        "text": 'a "b"\n\\ \x7f µ',
        "odd key": [1, 2.5, True],
        "small": 1e-7,
        "rows": [{"a": 1, "b c": "x"}, {}],
        "inner": {"x": -3, "deeper": {"y": []}},
    }
    assert tomllib.loads(to_toml({**table, "left out": None})) == table
