"""A table of songs, whatever its file format: columns, number of rows, and the rows themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.ingest.columns import Columns
from indexer.ingest.row import TableRow


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read once from end to end, so that its rows can be imported without a bad surprise.

    ``rows`` begins at the first row each time it is called and holds one row or batch at a time.
    """

    columns: Columns
    total: int
    rows: Callable[[], Iterator[TableRow]]
