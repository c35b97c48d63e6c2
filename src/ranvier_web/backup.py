"""One encrypted file with everything of a site, and the way back; the same for SQLite and PostgreSQL.

Layout: a magic word, eight random bytes, then sealed chunks (AES-256-GCM). Each chunk's nonce counts on from the random
bytes, and the last one is marked, so that chunks can be neither changed, swapped, nor cut off. Inside, compressed: one JSON
line per row, tables in an order in which each row finds what it points to. The secrets of the site come along.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

MAGIC = b"RANVIER1"
CHUNK = 1 << 20  # [bytes] before sealing
ROWS = 2000  # written at once
NOT_KEPT = ("sessions", "axes", "auth", "contenttypes", "account")
"""Sessions and counters of wrong passwords are not kept: whoever was signed in signs in again."""


@cache
def order() -> tuple[str, ...]:
    """Every table that is kept, each after those it points to."""
    models_ = sorted((m for m in apps.get_models() if m._meta.app_label not in NOT_KEPT), key=lambda m: m._meta.label)
    found: dict[str, None] = {}

    def visit(model: type[models.Model]) -> None:
        if model._meta.label in found or model not in models_:
            return
        for field in model._meta.concrete_fields:
            target = field.related_model
            if isinstance(target, type) and target is not model:
                visit(target)
        found[model._meta.label] = None

    for model in models_:
        visit(model)
    return tuple(found)


class BadBackupError(Exception):
    """The file is none of ours, was changed, is cut off, or the key is another one."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds, and the hash over all of it."""

    rows: int
    digest: str


def back_up(to: Path, key: bytes, secrets: dict[str, Any]) -> Made:
    """Everything into one file, as it stands at one moment. The file appears only when it is whole."""
    made, alone = Digest(), not connection.in_atomic_block
    part = to.with_name(to.name + ".part")
    with part.open("wb") as raw, transaction.atomic():
        if connection.vendor == "postgresql" and alone:  # else whoever began the transaction chose
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        sealed = Sealer(raw, key)
        sealed.write((json.dumps({"secrets": secrets, "tables": order()}) + "\n").encode())
        for line in lines():
            made.add(line)
            sealed.write(line)
        sealed.write((json.dumps({"rows": made.rows, "digest": made.hex()}) + "\n").encode())
        sealed.close()
        raw.flush()
        os.fsync(raw.fileno())
    part.chmod(0o600)
    part.replace(to)
    return Made(made.rows, made.hex())


def restore(source: Path, key: bytes) -> Made:
    """Fill an empty, migrated database from a backup, and compare what stands there then with what was backed up.

    Raises
    ------
    BadBackupError : the file cannot be used, or what was restored differs; the database is left as it was
    """
    with source.open("rb") as raw, transaction.atomic():
        for _ in unsealed(raw, key):  # whole and unchanged, before anything is written
            pass
        raw.seek(0)
        rows = _unsealed_lines(raw, key)
        next(rows, None)  # the secrets: see `secrets_of`
        kept: list[models.Model] = []
        last: dict[str, Any] = {}
        for line in rows:
            row = json.loads(line)
            if "digest" in row:
                last = row
                break
            name, values = row
            if kept and (kept[0]._meta.label != name or len(kept) >= ROWS):
                _insert(kept)
                kept = []
            kept.append(_instance(name, values))
        _insert(kept)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [_model(name) for name in order()]):
                cursor.execute(statement)
        made = Digest()
        for line in lines():
            made.add(line)
        if made.hex() != last.get("digest"):
            raise BadBackupError("what was restored is not what was backed up; nothing was written")
    return Made(made.rows, made.hex())


def secrets_of(source: Path, key: bytes) -> dict[str, Any]:
    """The secrets of the site that the backup is of. Raises BadBackupError."""
    with source.open("rb") as raw:
        first = next(_unsealed_lines(raw, key))
    found: dict[str, Any] = json.loads(first)["secrets"]
    return found


def lines() -> Iterator[bytes]:
    """Every row of every table, one JSON line each, always in the same order."""
    for name in order():
        model = _model(name)
        names = [f.attname for f in model._meta.concrete_fields]
        rows = model._default_manager.order_by("pk").values_list(*names)
        for row in rows.iterator(ROWS):
            yield (json.dumps([name, [_plain(v) for v in row]], separators=(",", ":"), sort_keys=True) + "\n").encode()


class Digest:
    """A hash over rows, and how many there were."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """One more row."""
        self.rows += 1
        self._hash.update(line)

    def hex(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


# ---- rows ------------------------------------------------------------------------------------------------------------


def _model(name: str) -> type[models.Model]:
    return apps.get_model(name)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(tz=_utc()).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    return value


def _utc() -> Any:
    from datetime import UTC

    return UTC


def _instance(name: str, values: list[Any]) -> models.Model:
    model = _model(name)
    found = {}
    for field, value in zip(model._meta.concrete_fields, values, strict=True):
        if isinstance(field, models.BinaryField):
            value = bytes.fromhex(value["bytes"])
        elif isinstance(field, models.DateTimeField) and value:
            value = datetime.fromisoformat(value)
        elif isinstance(field, models.DateField) and value:
            value = date.fromisoformat(value)
        elif isinstance(field, models.UUIDField) and value:
            value = UUID(value)
        found[field.attname] = value
    return model(**found)


def _insert(rows: list[models.Model]) -> None:
    """Rows as they are: no field may set itself to now."""
    if not rows:
        return
    model = type(rows[0])
    clocks = [f for f in model._meta.concrete_fields if getattr(f, "auto_now_add", False)]
    for field in clocks:
        field.auto_now_add = False  # type: ignore[attr-defined]
    try:
        model._default_manager.bulk_create(rows, batch_size=200)
    finally:
        for field in clocks:
            field.auto_now_add = True  # type: ignore[attr-defined]


# ---- the envelope ----------------------------------------------------------------------------------------------------


class Sealer:
    """Bytes in; sealed chunks out."""

    def __init__(self, out: BinaryIO, key: bytes) -> None:
        self.out, self.box, self.count = out, AESGCM(key), 0
        self.prefix = os.urandom(8)
        self.squeeze, self.waiting = zlib.compressobj(6), bytearray()
        out.write(MAGIC + self.prefix)

    def write(self, data: bytes) -> None:
        """More."""
        self.waiting += self.squeeze.compress(data)
        while len(self.waiting) > CHUNK:
            self._seal(bytes(self.waiting[:CHUNK]), b"more")
            del self.waiting[:CHUNK]

    def close(self) -> None:
        """The last chunk, marked as such."""
        self.waiting += self.squeeze.flush()
        self._seal(bytes(self.waiting), b"last")

    def _seal(self, data: bytes, mark: bytes) -> None:
        sealed = self.box.encrypt(self.prefix + struct.pack(">I", self.count), data, mark)
        self.out.write(struct.pack(">I", len(sealed)) + sealed)
        self.count += 1


def unsealed(raw: BinaryIO, key: bytes) -> Iterator[bytes]:
    """What was sealed, piece by piece. Raises BadBackupError where it is not whole and unchanged."""
    if raw.read(len(MAGIC)) != MAGIC:
        raise BadBackupError("this is no backup of ranvier")
    prefix, box, open_up = raw.read(8), AESGCM(key), zlib.decompressobj()
    count = 0
    while True:
        head = raw.read(4)
        if len(head) < 4:
            raise BadBackupError("the backup is cut off")
        size = struct.unpack(">I", head)[0]
        if size > 2 * CHUNK:
            raise BadBackupError("the backup was changed")
        sealed = raw.read(size)
        nonce = prefix + struct.pack(">I", count)
        last = False
        try:
            data = box.decrypt(nonce, sealed, b"more")
        except InvalidTag:
            try:
                data, last = box.decrypt(nonce, sealed, b"last"), True
            except InvalidTag:
                raise BadBackupError("the key is another one, or the backup was changed") from None
        yield open_up.decompress(data)
        if last:
            if raw.read(1):
                raise BadBackupError("something was added to the backup")
            yield open_up.flush()
            return
        count += 1


def _unsealed_lines(raw: BinaryIO, key: bytes) -> Iterator[bytes]:
    yield from _lines_of(unsealed(raw, key))


def _lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest
