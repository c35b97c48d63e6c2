"""Rows to a Parquet file as they come, so that memory does not grow with their number; the file appears when it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ranvier.ground.work import Result

GROUP = 512  # rows


class Rows:
    """A Parquet file under construction. columns : name → what it is; asked : what the file answers, kept in its metadata."""

    def __init__(self, target: Path, columns: Mapping[str, str], asked: Mapping[str, Any]) -> None:
        self.target, self.columns = target, columns
        self.metadata = {"ranvier": json.dumps(dict(asked)), "columns": json.dumps(dict(columns))}
        self.unfinished = target.with_name(target.name + ".unfinished")
        self.writer: pq.ParquetWriter | None = None
        self.waiting: list[Result] = []

    def __enter__(self) -> Rows:
        return self

    def add(self, rows: Result) -> None:
        """Some more rows, by column; all columns of the same length."""
        self.waiting.append(rows)
        if sum(len(next(iter(r.values()))) for r in self.waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        """Rows go out in large groups: what the file remembers of each group stays in memory until the end."""
        if not self.waiting:
            return
        whole = {name: np.concatenate([r[name] for r in self.waiting]) for name in self.waiting[0]}
        self.waiting = []
        table = pa.table({name: pa.array(values) for name, values in whole.items()})
        if self.writer is None:
            fields = [pa.field(f.name, f.type, metadata={"says": self.columns.get(f.name, "")}) for f in table.schema]
            self.schema = pa.schema(fields, metadata=self.metadata)
            self.writer = pq.ParquetWriter(self.unfinished, self.schema, compression="zstd")
        self.writer.write_table(table.cast(self.schema), row_group_size=table.num_rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        if self.writer is not None:
            self.writer.close()
            if kind is None:
                self.unfinished.replace(self.target)
        if kind is not None:
            self.unfinished.unlink(missing_ok=True)


def columns_of(file: Path, names: Iterable[str]) -> Result:
    """Some columns of a file of rows, those that are there."""
    there = set(pq.read_schema(file).names)
    table = pq.read_table(file, columns=[name for name in names if name in there])
    return {name: table[name].to_numpy() for name in table.column_names}
