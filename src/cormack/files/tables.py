"""Tables as files: tab-separated text, or Parquet where its package is installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cormack.core.errors import DependencyError, OutputError

#: File name endings and what they are.
TABLE_SUFFIXES = (".tsv", ".parquet")

Row = Mapping[str, str | None]


def check_table_name(path: Path) -> None:
    """Refuse a file name that names no kind of table, and Parquet where it cannot be written.

    Raises
    ------
    OutputError
        If the name ends in neither `.tsv` nor `.parquet`.
    DependencyError
        If it ends in `.parquet` and pyarrow is not installed.
    """
    if path.suffix not in TABLE_SUFFIXES:
        raise OutputError(f"{path}: the table's name must end in {' or '.join(TABLE_SUFFIXES)}")
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise DependencyError(
                "writing Parquet needs the package pyarrow: pip install 'cormack[parquet]'"
            ) from error


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Row], *, suffix: str | None = None) -> int:
    """Write rows of text, `n/a` (TSV) or null (Parquet) where nothing is known; returns how many.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    rows : iterable of mapping
    suffix : ".tsv" or ".parquet", optional
        The kind of table, if the path does not say it.
    """
    if (suffix or path.suffix) == ".parquet":
        return _write_parquet(path, columns, rows)
    count = 0
    with path.open("w", encoding="utf-8") as f:
        f.write("\t".join(columns) + "\n")
        for row in rows:
            f.write("\t".join(_cell(row.get(name)) for name in columns) + "\n")
            count += 1
    return count


def _cell(value: str | None) -> str:
    return " ".join(value.split()) or "n/a" if value else "n/a"


def _write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    import pyarrow
    import pyarrow.parquet

    table: dict[str, list[str | None]] = {name: [] for name in columns}
    for row in rows:
        for name in columns:
            table[name].append(row.get(name))
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    pyarrow.parquet.write_table(pyarrow.table(table, schema=schema), path)
    return len(table[columns[0]])
