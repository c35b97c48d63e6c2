"""Long work in units: on all cores, or on a Dask cluster, unchanged; resumable; nothing lost or counted twice.

A unit is a pure function of its arguments with an id made from what it depends on (model digest, data digest, seeds,
version). A unit that a dead worker took with it is done again and gives the same numbers; a unit that an earlier run kept
is read, not done again. Choose units of at least half a second, or handing them around costs more than doing them.

    with Executor() as executor:                                   # all cores of this machine
        for id, found in executor.run(units, keep=Path("parts")):  # in the order of the units
            ...

Units know no patients here: what they compute is the business of the room that makes them (see docs/adr/0017).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Result = dict[str, npt.NDArray[Any]]
"""What a unit gives: named arrays of numbers, truth values or text (no objects), so that it can be kept without pickling."""

IN_FLIGHT = 3  # units handed out per worker: enough that none waits, few enough that memory stays flat
DEATHS = 3  # workers that may die in a row without one unit finished
ANSWER_WITHIN = "10s"  # for a scheduler
_SUFFIX = ".npz"
_threads: list[int] = []


@dataclass(frozen=True, slots=True)
class Unit:
    """A function of this package, called with `arguments`, giving a Result. Same id, same result."""

    id: str
    function: Callable[..., Result]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Units done so far, of how many (None: not known yet), and how many of them an earlier run had kept."""

    done: int
    total: int | None
    kept: int


class DeadWorkersError(Exception):
    """Workers died again and again without one unit finished."""


class NoClusterError(Exception):
    """The scheduler cannot be used; the message says what to do."""


def unit(function: Callable[..., Result], *arguments: Any, of: Sequence[str]) -> Unit:
    """A unit whose id is a digest of the function's name, the version of this package, and `of`: all that it depends on."""
    sha = hashlib.sha256()
    for part in (f"{function.__module__}.{function.__qualname__}", version("ranvier"), *of):
        sha.update(f"{len(part)}:{part}".encode())
    return Unit(sha.hexdigest()[:24], function, arguments)


def threads() -> int:
    """How many threads one piece of work may use: all cores, or one where units share the cores already."""
    return _threads[0] if _threads else (os.cpu_count() or 1)


class _Later(Protocol):
    """A result to come, as `concurrent.futures` and Dask both have it."""

    def result(self) -> Result: ...

    def done(self) -> bool: ...


class _Hands(Protocol):
    """Whoever does the work."""

    @property
    def size(self) -> int: ...

    def submit(self, unit: Unit) -> _Later: ...

    def wait(self, futures: list[_Later]) -> None: ...

    def close(self, *, at_once: bool) -> None: ...


class Executor:
    """Does units on all cores of this machine (`workers` processes), or on the Dask cluster at `scheduler`.

    workers : processes; None: one per core; 1: in this process, without any other
    scheduler : address of a Dask scheduler, e.g. ``tcp://10.0.0.5:8786``

    Raises
    ------
    NoClusterError : the cluster's package is not installed, or nobody answers at the address.
    """

    def __init__(self, *, workers: int | None = None, scheduler: str | None = None) -> None:
        self.workers = workers if workers is not None else (os.cpu_count() or 1)
        if self.workers < 1:
            raise ValueError("at least one worker is needed")
        self._scheduler = scheduler
        self._hands: _Hands | None = None

    def __enter__(self) -> Executor:
        if self._scheduler is not None:
            self._hands = _Cluster(self._scheduler)
        elif self.workers > 1:
            self._hands = _Processes(self.workers)
        else:
            self._hands = _Here()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._hands is not None:
            self._hands.close(at_once=kind is not None)
            self._hands = None

    def run(
        self,
        units: Iterable[Unit],
        *,
        keep: Path | None = None,
        total: int | None = None,
        told: Callable[[Progress], None] | None = None,
    ) -> Iterator[tuple[str, Result]]:
        """Results by id, in the order of `units`, each once.

        Units are taken from the iterable as workers become free, so a long stream is never held in memory.

        keep : folder in which finished units are kept and looked for; safe to stop and begin again at any time
        told : called after each finished unit

        Raises
        ------
        ValueError : two units have the same id, or a result holds objects.
        DeadWorkersError : workers die in a row, which a unit that needs too much memory would do to them.
        """
        if self._hands is None:
            raise RuntimeError("use the executor in a with statement")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
        hands, source, seen = self._hands, iter(units), set[str]()
        line: deque[tuple[Unit, Result | _Later]] = deque()
        done = kept = deaths = 0

        def finished(one: Unit, result: Result) -> Result:
            if keep is not None:
                _save(keep, one.id, result)
            return result

        def say() -> None:
            if told is not None:
                told(Progress(done, total, kept))

        exhausted = False
        try:
            while line or not exhausted:
                while not exhausted and sum(not isinstance(later, dict) for _, later in line) < IN_FLIGHT * hands.size:
                    one = next(source, None)
                    if one is None:
                        exhausted = True
                        break
                    if one.id in seen:
                        raise ValueError(f"two units have the id {one.id}: the second would be counted twice")
                    seen.add(one.id)
                    earlier = None if keep is None else _load(keep, one.id)
                    if earlier is not None:
                        kept += 1
                        done += 1
                        say()
                    line.append((one, earlier if earlier is not None else hands.submit(one)))
                    if isinstance(line[0][1], dict):
                        break  # hand on what is there before taking more: a resumed run must not read everything first
                waiting = [later for _, later in line if not isinstance(later, dict)]
                if waiting and not isinstance(line[0][1], dict):
                    hands.wait(waiting)
                for i, (one, later) in enumerate(line):
                    if isinstance(later, dict) or not later.done():
                        continue
                    try:
                        line[i] = (one, finished(one, later.result()))
                    except BrokenProcessPool:
                        deaths += 1
                        if deaths > DEATHS:
                            raise DeadWorkersError(
                                f"{deaths} workers died one after the other without finishing a unit. Usually memory is "
                                "short: use fewer workers, or smaller units. What was finished is kept."
                            ) from None
                        hands.close(at_once=True)
                        hands = self._hands = _Processes(self.workers)
                        line = deque((u, r if isinstance(r, dict) else hands.submit(u)) for u, r in line)
                        break
                    deaths = 0
                    done += 1
                    say()
                while line and isinstance(line[0][1], dict):
                    one, ready = line.popleft()
                    assert isinstance(ready, dict)
                    yield one.id, ready
        except KeyboardInterrupt:
            # What runs is let finish and kept; a second interrupt ends it at once.
            for wait_first in (False, True):
                if wait_first:
                    hands.close(at_once=False)
                for one, later in line:
                    if not isinstance(later, dict) and keep is not None and _good(later):
                        _save(keep, one.id, later.result())
            raise


def _good(later: _Later) -> bool:
    cancelled = getattr(later, "cancelled", None)
    if not later.done() or (cancelled is not None and cancelled()):
        return False
    with contextlib.suppress(Exception):
        later.result()
        return True
    return False


def _save(folder: Path, name: str, result: Result) -> None:
    """Whole or not at all: written beside and moved into place."""
    for key, value in result.items():
        if value.dtype == object:
            raise ValueError(f"the result '{key}' holds objects; give numbers, truth values or text")
    handle, path = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, value in result.items():  # as np.savez does, which however keeps some names for itself
                with archive.open(f"{key}.npy", "w") as entry:
                    np.lib.format.write_array(entry, np.asarray(value), allow_pickle=False)
        Path(path).replace(folder / (name + _SUFFIX))
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def _load(folder: Path, name: str) -> Result | None:
    """What an earlier run kept; None where there is nothing that can be read."""
    try:
        with np.load(folder / (name + _SUFFIX), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        return None


def one_thread() -> None:
    """Begin a worker: one thread, and interrupts are the parent's business."""
    _threads[:] = [1]
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    return function(*arguments)


def _call_far(function: Callable[..., Result], arguments: tuple[Any, ...], wanted: str) -> Result:
    """On a cluster's worker: the same program, or none."""
    found = version("ranvier")
    if found != wanted:
        raise NoClusterError(
            f"A worker has ranvier {found}, this program is {wanted}. Install the same version everywhere."
        )
    _threads[:] = [1]
    return function(*arguments)


class _Now:
    """A result that is already there."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def result(self) -> Result:
        return self._result

    def done(self) -> bool:
        return True


class _Here:
    """This very process."""

    size = 1

    def submit(self, unit: Unit) -> _Later:
        return _Now(unit.function(*unit.arguments))

    def wait(self, futures: list[_Later]) -> None:
        pass

    def close(self, *, at_once: bool) -> None:
        pass


class _Processes:
    """Processes of this machine, started afresh (compiled threads do not survive a fork)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool = ProcessPoolExecutor(size, mp_context=get_context("spawn"), initializer=one_thread)

    def submit(self, unit: Unit) -> _Later:
        try:
            return self._pool.submit(_call, unit.function, unit.arguments)
        except BrokenProcessPool as error:
            broken: Future[Result] = Future()
            broken.set_exception(error)
            return broken

    def wait(self, futures: list[_Later]) -> None:
        wait([f for f in futures if isinstance(f, Future)], return_when=FIRST_COMPLETED)

    def close(self, *, at_once: bool) -> None:
        self._pool.shutdown(wait=not at_once, cancel_futures=True)


class _Cluster:
    """Workers of a Dask cluster. A unit whose worker died is given to another by the scheduler; its key is the unit's id."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise NoClusterError(
                "A scheduler needs the package 'distributed', which is not installed here.\n"
                "    Install it with: pip install 'ranvier[cluster]'\n"
                "    Or leave out --scheduler to use all cores of this machine."
            ) from error
        self._dask: Any = distributed
        try:
            self._client: Any = self._dask.Client(address, timeout=ANSWER_WITHIN, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise NoClusterError(
                f"No Dask scheduler answers at {address}.\n"
                "    Start one with: dask scheduler --host 127.0.0.1   and workers with: dask worker ADDRESS\n"
                "    Or leave out --scheduler to use all cores of this machine."
            ) from error

    @property
    def size(self) -> int:
        """Threads of all workers that are there now."""
        return max(int(sum(self._client.nthreads().values())), 1)

    def submit(self, unit: Unit) -> _Later:
        later: _Later = self._client.submit(
            _call_far, unit.function, unit.arguments, version("ranvier"), key=f"ranvier-{unit.id}", pure=False
        )
        return later

    def wait(self, futures: list[_Later]) -> None:
        with self._client.as_current():
            self._dask.wait(futures, return_when="FIRST_COMPLETED")

    def close(self, *, at_once: bool) -> None:
        self._client.close()
