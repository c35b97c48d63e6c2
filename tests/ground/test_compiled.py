"""Compiled kernels: what is borrowed is neither counted nor kept."""

import re
import sys
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from numba.core.errors import NumbaError

from ranvier.ground.compiled import BORROWER, KERNEL


def kernel(function):
    """As ours, but not kept on disk."""
    return njit(**{**KERNEL, "cache": False})(function)


def borrower(function):
    """As ours, but not kept on disk."""
    return njit(**{**BORROWER, "cache": False})(function)


class Two(NamedTuple):
    first: np.ndarray
    second: np.ndarray


def inner(two, out):
    for i in range(out.size):
        out[i] = two.first[i] * two.second[i]
    return out[0]


def test_a_borrower_gives_what_a_kernel_gives_and_counts_no_array():
    two, results, counts = Two(np.arange(5.0), np.full(5, 2.0)), [], []
    for mark in (kernel, borrower):
        compiled = mark(inner)
        out = np.zeros(5)
        compiled(two, out)
        results.append(out)
        (code,) = compiled.inspect_llvm().values()
        counts.append(len(re.findall(r"call void @NRT_(?:incref|decref)", code)))
    np.testing.assert_array_equal(results[0], results[1])
    assert counts[0] > 0
    assert counts[1] == 0


def test_what_was_lent_is_given_back():
    two, out = Two(np.arange(5.0), np.ones(5)), np.zeros(5)
    compiled = borrower(inner)
    compiled(two, out)
    before = [sys.getrefcount(a) for a in (*two, out)]
    for _ in range(100):
        compiled(two, out)
    assert [sys.getrefcount(a) for a in (*two, out)] == before


def test_a_borrower_that_makes_an_array_does_not_compile():
    def greedy(n):
        return np.zeros(n).sum()

    with pytest.raises((NumbaError, RuntimeError)):
        borrower(greedy)(3)


def test_a_kernel_that_a_borrower_calls_may_still_make_arrays():
    @kernel
    def makes(n):
        return np.ones(n).sum()

    @borrower
    def calls(n):
        return makes(n)

    assert calls(4) == 4.0
