"""A record's file as plain data with the digits that were written: 12.10 stays 12.10."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from ranvier.record import structure
from ranvier.record.text import parse


def document_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The plain data of a sound record (one that `read` accepts), numbers with a point as Decimal."""
    file = Path(path)
    document, _ = parse(file.read_text(encoding="utf-8-sig"), file.name, structure.text_keys(), number=Decimal)
    found: dict[str, Any] = structure.without_nothing(document.data)
    return found
