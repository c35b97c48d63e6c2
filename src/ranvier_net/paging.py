"""Answers that come in pages: followed to the end, kept raw with their day, resumed where they broke off."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ranvier_net.client import Answer, Client, NotUnderstoodError, RefusedError, UnreachableError


@dataclass(frozen=True, slots=True)
class Ask:
    """One page to ask for: an address and its parameters."""

    url: str
    params: Mapping[str, str]


Following = Callable[[Answer, Ask], Ask | None]
"""From a page and how it was asked for, how to ask for the next one; None after the last."""


@dataclass(slots=True)
class Archive:
    """A folder of raw pages with their days, and a mark of how far one gathering came.

    One gathering is one first question; its pages lie in a folder named by the question's digest. The mark is written
    after each page, so that a gathering that broke off is continued, not begun again.
    """

    folder: Path

    def of(self, first: Ask) -> Path:
        """The folder of one gathering."""
        text = json.dumps([first.url, sorted(first.params.items())])
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:16]

    def mark(self, first: Ask) -> dict[str, Any] | None:
        """How far an unfinished gathering came; None if there is none, or its mark cannot be read."""
        try:
            found = json.loads((self.of(first) / "mark.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        sound = isinstance(found, dict) and isinstance(found.get("next"), dict) and isinstance(found.get("pages"), list)
        return found if sound else None

    def kept(self, first: Ask) -> list[Answer]:
        """The pages that an unfinished gathering has already, in order; none if one of them is damaged."""
        found = self.mark(first)
        pages: list[Answer] = []
        for entry in found["pages"] if found else ():
            try:
                body = (self.of(first) / entry["file"]).read_bytes()
                if hashlib.sha256(body).hexdigest() != entry["sha256"]:
                    return []
                pages.append(Answer(entry["url"], 200, {}, body, datetime.fromisoformat(entry["fetched"])))
            except (OSError, KeyError, TypeError, ValueError):
                return []
        return pages

    def forget(self, first: Ask) -> None:
        """Let an unfinished gathering go; its raw pages stay."""
        (self.of(first) / "mark.json").unlink(missing_ok=True)

    def keep(self, first: Ask, number: int, answer: Answer, following: Ask | None) -> None:
        """Store one raw page with its day, then move the mark; after the last page the mark goes."""
        folder = self.of(first)
        folder.mkdir(parents=True, exist_ok=True)
        day = answer.fetched.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
        name = f"{day}-page-{number:04d}.json"
        _write(folder / name, answer.body)
        entry = {
            "file": name,
            "url": answer.url,
            "fetched": answer.fetched.isoformat(),
            "sha256": hashlib.sha256(answer.body).hexdigest(),
        }
        before = (self.mark(first) or {}).get("pages", []) if number > 1 else []
        log = json.dumps({**entry, "page": number}, sort_keys=True)
        with (folder / "pages.jsonl").open("a", encoding="utf-8") as file:
            file.write(log + "\n")
        if following is None:
            self.forget(first)
            return
        mark = {"next": {"url": following.url, "params": dict(following.params)}, "pages": [*before, entry]}
        _write(folder / "mark.json", json.dumps(mark, indent=1).encode())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(path.suffix + ".part")
    beside.write_bytes(content)
    os.replace(beside, path)


def pages(
    client: Client,
    first: Ask,
    following: Following,
    *,
    archive: Archive | None = None,
    most: int = 1000,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Answer]:
    """Every page of an answer, one after the other.

    archive : keeps each raw page with its day; a gathering that broke off is continued from its mark
    most : pages after which something must be wrong

    Raises
    ------
    NetworkError : see `Client.send`; also where a server leads round in a circle or never ends
    """
    ask: Ask | None = first
    number = 0
    resumed = False
    if archive is not None:
        for kept in archive.kept(first):
            number += 1
            yield kept
        if number:
            resumed = True
            mark = archive.mark(first)
            assert mark is not None
            ask = Ask(str(mark["next"]["url"]), {str(k): str(v) for k, v in mark["next"]["params"].items()})
    seen: set[str] = set()
    while ask is not None:
        key = json.dumps([ask.url, sorted(ask.params.items())])
        if key in seen:
            raise NotUnderstoodError(f"{ask.url} leads round in a circle.", "Report it to the server's operator.")
        if number >= most:
            raise NotUnderstoodError(f"{ask.url} has more than {most} pages.", "Narrow the question.")
        seen.add(key)
        answer = client.get(ask.url, ask.params, headers)
        if archive is not None and resumed and answer.status in (400, 404, 410):
            # The mark grew stale: servers forget the tokens of their pages.
            archive.forget(first)
            raise UnreachableError(
                f"{answer.url} no longer knows where the last gathering broke off.", "Run it again: it begins anew."
            )
        resumed = False
        if not answer.ok:
            raise RefusedError(
                f"{answer.url} answered with status {answer.status}: {_start(answer)}",
                "Check the question; pages fetched so far are kept." if archive else "Check the question.",
                answer.status,
            )
        number += 1
        then = following(answer, ask)
        if archive is not None:
            archive.keep(first, number, answer, then)
        yield answer
        ask = then


def _start(answer: Answer) -> str:
    text = answer.body[:200].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "nothing"
