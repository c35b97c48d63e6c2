"""Many people's records in one table, in the order of a file: what a NONMEM-style data set holds, checked and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Dataset:
    """R rows of N people.

    name : of the file; people : N identifiers, in the order of the file; first : N + 1, person i owns rows first[i] to
    first[i + 1] - 1; line : R, line of the file
    time, amount, rate, interval (II), value (DV) : R numbers; value is NaN where nothing was observed
    event : R, EVID 0 to 4; compartment (CMT) : R, 0 where the file does not say; steady (SS), additional (ADDL), missing (MDV),
    censored (CENS: 1 below `value`, -1 above it), kind (DVID), occasion : R whole numbers; kind 0: the file does not say
    covariates : by column name, R numbers, NaN where missing
    """

    name: str
    people: tuple[str, ...]
    first: IntArray
    line: IntArray
    time: FloatArray
    event: IntArray
    amount: FloatArray
    rate: FloatArray
    interval: FloatArray
    additional: IntArray
    steady: IntArray
    compartment: IntArray
    value: FloatArray
    missing: IntArray
    censored: IntArray
    kind: IntArray
    covariates: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.people)
