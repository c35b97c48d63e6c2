"""Compiled time lines: what was given to a person, in the order in which it acts, with every dosing record of NONMEM.

A record acts in the order of the file. Doses that a record implies (additional ones, lagged ones, ends of infusions) come
before a record of the same time. Parameters of a dose (bioavailability, lag, modelled rate or duration) are those of its
own record. A reset (EVID 3, 4, or SS 1) ends running infusions and cancels doses that are still to come.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower
from ranvier.kinetics.linear_kernels import DURATION, LAG, RATE, F

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OBSERVE, BOLUS, ON, OFF, RESET, STEADY, SET = 0, 1, 2, 3, 4, 5, 6
SAME_TIME = 1e-9


class Cohort(NamedTuple):
    """Everybody's records, one after the other. Person i owns rows [ptr[i], ptr[i + 1]) of each group.

    begin N: time of the first record. Doses: d_time (of the dose itself: additional doses are written out), d_amount,
    d_rate (0 a bolus, > 0 given, -1 modelled rate, -2 modelled duration), d_channel (0 central, 1 depot), d_set (row of
    parameters, counted within the person), d_steady (0, 1, 2), d_interval, d_rank (place in the file), d_record (time of its
    record), d_cut (time at which a later reset ends it). Observations: o_time, o_value, o_kind (0 concentration, 1
    response), o_censored (0; 1 below o_value; -1 above it), o_rank, o_set. Resets: r_time, r_rank. Records c_time, c_set,
    c_rank: only for people whose parameters change with time. set_ptr: rows of parameters.
    """

    begin: FloatArray
    dose_ptr: IntArray
    d_time: FloatArray
    d_amount: FloatArray
    d_rate: FloatArray
    d_channel: IntArray
    d_set: IntArray
    d_steady: IntArray
    d_interval: FloatArray
    d_rank: IntArray
    d_record: FloatArray
    d_cut: FloatArray
    obs_ptr: IntArray
    o_time: FloatArray
    o_value: FloatArray
    o_kind: IntArray
    o_censored: IntArray
    o_rank: IntArray
    o_set: IntArray
    reset_ptr: IntArray
    r_time: FloatArray
    r_rank: IntArray
    record_ptr: IntArray
    c_time: FloatArray
    c_set: IntArray
    c_rank: IntArray
    set_ptr: IntArray


class Line(NamedTuple):
    """Room for one person's events: time, rank (file order; -1 implied), kind, which (dose, observation or set), size 1.

    ON and OFF carry the rate in `amount`; `edge` says what moves an OFF: 0 nothing but the lag, 1 also its length.
    """

    time: FloatArray
    rank: IntArray
    kind: IntArray
    which: IntArray
    amount: FloatArray
    edge: IntArray
    size: IntArray


@borrower
def _put(line: Line, time: float, rank: int, kind: int, index: int, amount: float, edge: int) -> None:
    """Insert one event in order (the list is nearly sorted)."""
    n = line.size[0]
    i = n
    times, ranks, kinds, which, amounts, edges = line.time, line.rank, line.kind, line.which, line.amount, line.edge
    while i > 0 and (times[i - 1] > time or (times[i - 1] == time and ranks[i - 1] > rank)):
        times[i] = times[i - 1]
        ranks[i] = ranks[i - 1]
        kinds[i] = kinds[i - 1]
        which[i] = which[i - 1]
        amounts[i] = amounts[i - 1]
        edges[i] = edges[i - 1]
        i -= 1
    times[i] = time
    ranks[i] = rank
    kinds[i] = kind
    which[i] = index
    amounts[i] = amount
    edges[i] = edge
    line.size[0] = n + 1


@borrower
def dose_of(c: Cohort, j: int, theta: FloatArray) -> tuple[float, float, float, float]:
    """(start, length, rate, bolus amount) of dose j under the parameters of its record."""
    own = theta[c.d_set[j]]
    channel = c.d_channel[j]
    given = c.d_amount[j] * own[F + channel]
    start = c.d_time[j] + own[LAG + channel]
    rate = c.d_rate[j]
    if rate == 0.0:
        return start, 0.0, 0.0, given
    if rate == -2.0:
        length = own[DURATION + channel]
        if length == 0.0:
            return start, 0.0, 0.0, given
        return start, length, given / length, 0.0
    if rate == -1.0:
        rate = own[RATE + channel]
    return start, given / rate, rate, 0.0


@borrower
def arrange(c: Cohort, i: int, theta: FloatArray, sets: bool, line: Line) -> None:
    """Person i's events in the order in which they act, under natural parameters `theta` (sets × SLOTS)."""
    line.size[0] = 0
    o, last = c.obs_ptr[i], c.obs_ptr[i + 1]
    for r in range(c.reset_ptr[i], c.reset_ptr[i + 1]):
        _put(line, c.r_time[r], c.r_rank[r], RESET, r, 0.0, 0)
    if sets:
        for k in range(c.record_ptr[i], c.record_ptr[i + 1] - 1):
            _put(line, c.c_time[k], c.c_rank[k], SET, c.c_set[k + 1], 0.0, 0)
    for j in range(c.dose_ptr[i], c.dose_ptr[i + 1]):
        while o < last and c.o_rank[o] < c.d_rank[j]:  # in the order of the file: then little has to be moved
            _put(line, c.o_time[o], c.o_rank[o], OBSERVE, o, 0.0, 0)
            o += 1
        start, length, rate, bolus = dose_of(c, j, theta)
        cut = c.d_cut[j]
        own_time = c.d_time[j] == c.d_record[j]
        if c.d_steady[j] > 0 and own_time:
            _put(line, c.d_record[j], c.d_rank[j] - 1, STEADY, j, 0.0, 0)
            every = c.d_interval[j]
            if every > 0.0:
                # Doses of the steady past that still run, or are still to come because of the lag, after the record.
                before = 1
                while start - before * every + max(length, 0.0) > c.d_record[j]:
                    begun = start - before * every
                    end = begun + length
                    if begun >= c.d_record[j]:
                        if length == 0.0:
                            _put(line, begun, -1, BOLUS, j, bolus, 0)
                        else:
                            _put(line, begun, -1, ON, j, rate, 0)
                            _put(line, min(end, cut), -1, OFF, j, rate, 1 if end < cut else 2)
                    elif length > 0.0:
                        _put(line, c.d_record[j], c.d_rank[j], ON, j, rate, 2)
                        _put(line, min(end, cut), -1, OFF, j, rate, 1 if end < cut else 2)
                    before += 1
        if start >= cut or (c.d_amount[j] == 0.0 and c.d_rate[j] > 0.0):
            continue  # cancelled by a reset, or a constant infusion that has led to steady state and stops
        rank = c.d_rank[j] if start == c.d_record[j] else -1
        if length == 0.0 and rate == 0.0:
            _put(line, start, rank, BOLUS, j, bolus, 0)
        else:
            _put(line, start, rank, ON, j, rate, 0)
            end = start + length
            _put(line, min(end, cut), -1, OFF, j, rate, 1 if end < cut else 2)
    for rest in range(o, last):
        _put(line, c.o_time[rest], c.o_rank[rest], OBSERVE, rest, 0.0, 0)
