"""Least squares whose every bit is the same on every machine.

Three habits make it so. Arrays are only ever combined element by element, where IEEE 754 leaves no
choice; every sum is `math.fsum`, which is exact before its one rounding and so does not depend on
order, vector width or number of threads; the small normal equations are solved in decimals of
fifty digits. No linear-algebra library, whose kernels differ from processor to processor, has a
say.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import fsum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DIGITS = 50
_SINGULAR = Decimal("1e-10")


@dataclass(frozen=True)
class Coefficients:
    """One intercept per group and one slope per column; `rank` counts the estimated ones.

    A column that adds nothing to the others has slope 0 and is not counted.
    """

    intercepts: dict[int, float]
    slopes: tuple[float, ...]
    rank: int


def total(values: Floats) -> float:
    """The exactly rounded sum of an array."""
    return fsum(values.tolist())


def _solve(gram: list[list[float]], moment: list[float]) -> tuple[list[float], int]:
    """Solve a symmetric positive semi-definite system by elimination with diagonal pivots."""
    size = len(moment)
    with localcontext() as context:
        context.prec = _DIGITS
        rows = [[Decimal(v) for v in (*gram[i], moment[i])] for i in range(size)]
        scale = [rows[i][i] for i in range(size)]
        open_columns, order = list(range(size)), []
        while open_columns:
            best = max(
                open_columns, key=lambda i: rows[i][i] / scale[i] if scale[i] else Decimal(0)
            )
            if not scale[best] or rows[best][best] / scale[best] < _SINGULAR:
                break
            open_columns.remove(best)
            order.append(best)
            for other in open_columns:
                ratio = rows[other][best] / rows[best][best]
                rows[other] = [a - ratio * b for a, b in zip(rows[other], rows[best], strict=True)]
        solution = [Decimal(0)] * size
        for position in reversed(range(len(order))):
            row = rows[order[position]]
            known = sum((row[j] * solution[j] for j in order[position + 1 :]), Decimal(0))
            solution[order[position]] = (row[size] - known) / row[order[position]]
        return [float(v) for v in solution], len(order)


def least_squares(groups: Integers, columns: list[Floats], observed: Floats) -> Coefficients:
    """Ordinary least squares with one intercept per group: observed = a[group] + Σ b[k]·column[k].

    The intercepts are swept out by centring within each group (Frisch-Waugh-Lovell theorem), so a
    model with 168 hours of the week costs no more than its few temperature columns.
    """
    assert len(groups) == len(observed) > 0
    codes = sorted(set(groups.tolist()))
    members = {code: np.flatnonzero(groups == code) for code in codes}
    means: list[dict[int, float]] = []
    centred: list[Floats] = []
    for column in [*columns, observed]:
        mean = {c: total(column[rows]) / len(rows) for c, rows in members.items()}
        shift = np.zeros(len(column))
        for code, rows in members.items():
            shift[rows] = mean[code]
        means.append(mean)
        centred.append(column - shift)
    sweep, response = centred[:-1], centred[-1]
    gram = [[0.0] * len(columns) for _ in columns]
    for i, left in enumerate(sweep):
        for j in range(i, len(sweep)):
            gram[i][j] = gram[j][i] = total(left * sweep[j])
    slopes, rank = _solve(gram, [total(column * response) for column in sweep])
    intercepts = {
        code: means[-1][code] - fsum(s * m[code] for s, m in zip(slopes, means, strict=False))
        for code in codes
    }
    return Coefficients(intercepts, tuple(slopes), rank + len(codes))


def evaluate(fitted: Coefficients, groups: Integers, columns: list[Floats]) -> Floats:
    """The fitted values; not-a-number for a group that the fit has never seen."""
    value = np.array([fitted.intercepts.get(code, np.nan) for code in groups.tolist()])
    for slope, column in zip(fitted.slopes, columns, strict=True):
        value = value + slope * column
    return value
