"""Long work in units: the same numbers on one core, on all, after a stop, and after a worker died."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.ground import units_of_work as work_of

from ranvier.ground import work
from ranvier.ground.work import DeadWorkersError, Executor, NoClusterError, Unit, threads, unit

ROOT = Path(__file__).resolve().parents[2]


def units(n=8, size=5, log=None, pause=0.0):
    return [
        unit(
            work_of.squares, k * size, (k + 1) * size, log, pause, of=("model", "data", f"{k * size}-{(k + 1) * size}")
        )
        for k in range(n)
    ]


def gathered(results):
    found = list(results)
    return [id for id, _ in found], np.concatenate([r["square"] for _, r in found])


WHOLE = np.arange(40) ** 2


def test_results_come_in_the_order_of_the_units_and_each_once():
    with Executor(workers=1) as executor:
        ids, squares = gathered(executor.run(units()))
    assert ids == [u.id for u in units()]
    assert np.array_equal(squares, WHOLE)


def test_two_processes_give_the_same_numbers_as_one():
    with Executor(workers=2) as executor:
        ids, squares = gathered(executor.run(units()))
    assert ids == [u.id for u in units()]
    assert np.array_equal(squares, WHOLE)


def test_an_id_names_what_a_unit_depends_on():
    a = unit(work_of.squares, 0, 1, of=("model", "data", "0-1"))
    assert a.id == unit(work_of.squares, 0, 1, of=("model", "data", "0-1")).id
    assert len({a.id, unit(work_of.squares, 0, 1, of=("model", "dat", "a0-1")).id,
                unit(work_of.objects, of=("model", "data", "0-1")).id}) == 3  # fmt: skip


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    log = tmp_path / "log"
    with Executor(workers=1) as executor:
        first = executor.run(units(log=str(log)), keep=tmp_path / "parts")
        for _ in range(3):
            next(first)
        first.close()
    done_before = log.read_text().split()
    told = []
    with Executor(workers=1) as executor:
        _, squares = gathered(executor.run(units(log=str(log)), keep=tmp_path / "parts", total=8, told=told.append))
    assert np.array_equal(squares, WHOLE)
    assert sorted(map(int, log.read_text().split())) == [k * 5 for k in range(8)], "something was done twice"
    assert told[-1].done == told[-1].total == 8
    assert told[-1].kept == len(done_before) >= 3


def test_a_torn_file_of_an_earlier_run_is_done_again(tmp_path):
    with Executor(workers=1) as executor:
        list(executor.run(units(), keep=tmp_path))
    kept = sorted(tmp_path.glob("*.npz"))
    assert len(kept) == 8
    kept[0].write_bytes(b"torn")
    kept[1].write_bytes(kept[1].read_bytes()[:100])
    with Executor(workers=1) as executor:
        _, squares = gathered(executor.run(units(), keep=tmp_path))
    assert np.array_equal(squares, WHOLE)


def test_the_same_unit_twice_is_refused_since_it_would_count_twice():
    with Executor(workers=1) as executor, pytest.raises(ValueError, match="counted twice"):
        list(executor.run([*units(2), *units(1)]))


def test_a_long_stream_is_taken_as_workers_become_free():
    taken = []

    def endless():
        for u in units(1000):
            taken.append(u)
            yield u

    with Executor(workers=1) as executor:
        stream = executor.run(endless())
        for _ in range(10):
            next(stream)
    assert len(taken) <= 14


def test_a_resumed_run_hands_on_what_was_kept_before_it_reads_more(tmp_path):
    with Executor(workers=1) as executor:
        list(executor.run(units(), keep=tmp_path))
    taken = []
    with Executor(workers=1) as executor:
        next(executor.run((taken.append(u) or u for u in units()), keep=tmp_path))
    assert len(taken) == 1


def test_when_a_worker_dies_its_unit_is_done_again(tmp_path):
    some = [*units(3), Unit("dies-once", work_of.die_once, (15, 20, str(tmp_path / "flag"))), *units(8)[4:]]
    with Executor(workers=2) as executor:
        ids, squares = gathered(executor.run(some))
    assert ids == [u.id for u in some]
    assert np.array_equal(squares, WHOLE)


def test_a_unit_that_kills_every_worker_is_reported_with_a_remedy():
    with Executor(workers=2) as executor, pytest.raises(DeadWorkersError, match="fewer workers"):
        list(executor.run([Unit("deadly", work_of.die_always)]))


def test_a_fault_in_a_unit_is_not_hidden():
    with Executor(workers=2) as executor, pytest.raises(TypeError):
        list(executor.run([Unit("wrong", work_of.squares, ("a", "b", None, "c"))]))


def test_what_cannot_be_kept_is_refused(tmp_path):
    with Executor(workers=1) as executor, pytest.raises(ValueError, match="holds objects"):
        list(executor.run([Unit("objects", work_of.objects)], keep=tmp_path))
    assert not list(tmp_path.iterdir())


def test_without_units_around_it_work_may_use_all_cores():
    assert threads() == (os.cpu_count() or 1)


def test_an_address_where_nobody_answers_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setattr(work, "ANSWER_WITHIN", "1s")
    with pytest.raises(NoClusterError, match="No Dask scheduler answers"), Executor(scheduler="tcp://127.0.0.1:9"):
        pass


def test_without_the_package_the_remedy_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoClusterError, match=r"ranvier\[cluster\]"), Executor(scheduler="tcp://127.0.0.1:9"):
        pass


@contextmanager
def cluster(folder):
    """A real scheduler and two real workers, each an OS process of its own, on the loopback; yields address and workers."""
    said = folder / "scheduler.json"
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": path, "cwd": folder}
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    processes = [
        subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *host, "--port", "0",
                          "--scheduler-file", str(said)], **quiet)
    ]  # fmt: skip
    try:
        wait_for(said.exists)
        time.sleep(0.2)
        import json

        address = json.loads(said.read_text())["address"]
        for k in range(2):
            processes.append(
                subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_worker", address, *host, "--nthreads", "1",
                                  "--no-nanny", "--name", f"w{k}", "--local-directory", str(folder)], **quiet)
            )  # fmt: skip
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def wait_for(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)


def test_on_a_real_cluster_a_killed_worker_loses_nothing_and_counts_nothing_twice(tmp_path):
    """Scheduler and two workers are processes of their own; one worker is killed (SIGKILL) in the middle of its work."""
    log = tmp_path / "log"
    some = units(16, log=str(log), pause=0.25)
    with cluster(tmp_path) as (address, workers), Executor(scheduler=address) as executor:
        wait_for(lambda: executor._hands.size == 2)
        found = []
        for result in executor.run(some, keep=tmp_path / "parts"):
            found.append(result)
            if len(found) == 4:
                workers[0].send_signal(signal.SIGKILL)
                workers[0].wait()
    ids, squares = gathered(found)
    assert workers[0].returncode == -signal.SIGKILL
    assert ids == [u.id for u in some], "lost, or counted twice, or out of order"
    assert np.array_equal(squares, np.arange(80) ** 2)
    assert {p.stem for p in (tmp_path / "parts").glob("*.npz")} == set(ids)
    assert set(map(int, log.read_text().split())) == {k * 5 for k in range(16)}
