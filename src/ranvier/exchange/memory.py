"""The mapping file beside a record: what was answered at earlier imports, so that the next export is not asked again.

Rows are known by a digest only: the file holds no name and no text of the table besides its headings.
"""

from __future__ import annotations

from typing import Any

import yaml

from ranvier.exchange.desk import Memory
from ranvier.ground.notes import InputError, Problem

_HEAD = """\
# What `ranvier import` was told about tables for this record. Delete an answer to be asked again.
"""


def load(text: str, name: str) -> Memory:
    """The memory in a mapping file. Raises InputError if it is none."""
    try:
        data = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise _refuse(name, f"this is not readable as YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict) or data.get("ranvier_import") != "1":
        raise _refuse(name, "this is not a mapping file of ranvier import")
    memory = Memory(shared=_texts(data.get("shared")))
    tables = data.get("tables")
    for table in tables if isinstance(tables, list) else ():
        if not isinstance(table, dict) or not isinstance(table.get("shape"), str):
            raise _refuse(name, "a table in it has no shape")
        shape = table["shape"]
        memory.shapes[shape] = _texts(table.get("answers"))
        memory.headings[shape] = str(table.get("headings", ""))
        rows = table.get("rows")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and {"row", "about", "answer"} <= row.keys():
                memory.rows[(shape, str(row["row"]), str(row["about"]))] = str(row["answer"])
    return memory


def _texts(value: Any) -> dict[str, str]:
    return {str(k): v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _refuse(name: str, what: str) -> InputError:
    return InputError(
        f"{name} cannot be used.", (Problem(name, what, "Mend it, or move it away; then everything is asked anew."),)
    )


def dump(memory: Memory) -> str:
    """The mapping file of a memory. Same answers, same text."""
    tables = []
    for shape in sorted({*memory.shapes, *memory.headings, *(r[0] for r in memory.rows)}):
        rows = [{"row": r, "about": a, "answer": v} for (s, r, a), v in sorted(memory.rows.items()) if s == shape]
        table: dict[str, Any] = {"shape": shape, "headings": memory.headings.get(shape, "")}
        answers = dict(sorted(memory.shapes.get(shape, {}).items()))
        tables.append(table | ({"answers": answers} if answers else {}) | ({"rows": rows} if rows else {}))
    body: dict[str, Any] = {"ranvier_import": 1}
    if memory.shared:
        body["shared"] = dict(sorted(memory.shared.items()))
    body["tables"] = tables
    return _HEAD + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100)


def answers_from(text: str, name: str) -> dict[str, str]:
    """Key → answer of an answers file; blank answers count as none. Raises InputError if it is no flat list of answers."""
    try:
        data = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(
            f"{name} cannot be read.", (Problem(name, str(error).splitlines()[0], "Write one `key: answer` per line."),)
        ) from None
    if data in (None, ""):
        return {}
    if not isinstance(data, dict) or any(not isinstance(v, str) for v in data.values()):
        raise InputError(
            f"{name} cannot be read.",
            (Problem(name, "this is not a list of answers", "Write one `key: answer` per line."),),
        )
    return {str(k): v.strip() for k, v in data.items() if v.strip()}
