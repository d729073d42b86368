#!/usr/bin/env python3
"""Computes group.json: boundaries and p-values of group-sequential designs.

The density of the walk that has not crossed yet is kept at 1000 Gauss-Legendre
nodes over the whole continuation region, and each boundary is found by Brent's
method on the crossing probability. The p-value of a statistic at the last look is
the alpha at which the boundary goes through it, by Brent's method again.

    pip install numpy==2.2.6 scipy==1.14.1
    python3 group.py > group.json
"""

import json
import sys

import numpy as np
import scipy
from numpy.polynomial.legendre import leggauss
from scipy import optimize, stats

X, W = leggauss(1000)


def spent(spending, exponent, alpha, t):
    if spending == "obrien_fleming":
        return 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(t))
    if spending == "pocock":
        return alpha * np.log(1 + (np.e - 1) * t)
    return alpha * t**exponent


def boundaries(spending, exponent, alpha, alternative, shares, times):
    side = alpha / 2 if alternative == "two_sided" else alpha
    out, nodes, weights, before, last = [], None, None, 0.0, 0.0
    for t, u in zip(shares, times):
        now, sd, root = spent(spending, exponent, side, u), np.sqrt(t - last), np.sqrt(t)

        def crossing(z):
            if nodes is None:
                return stats.norm.sf(z * root / sd)
            return float(np.dot(weights, stats.norm.sf((z * root - nodes) / sd)))

        z = optimize.brentq(lambda u: np.log(crossing(u)) - np.log(now - before), -2, 16, xtol=1e-14)
        out.append(z)
        top = z * root
        bottom = -top if alternative == "two_sided" else -9 * root
        moved, w = (top + bottom) / 2 + X * (top - bottom) / 2, W * (top - bottom) / 2
        if nodes is None:
            density = stats.norm.pdf(moved / sd) / sd
        else:
            density = stats.norm.pdf((moved[:, None] - nodes[None, :]) / sd) @ weights / sd
        nodes, weights, before, last = moved, w * density, now, t
    return out


cases = []
# Times, where alpha is spent by another clock than the information.
for spending, exponent, alpha, alternative, shares, *times in [
    ("power", 2, 0.05, "two_sided", [0.25, 0.5, 0.75, 1]),
    ("power", 2, 0.05, "greater", [0.2, 0.4, 0.6, 0.8, 1]),
    ("power", 2, 0.01, "two_sided", [0.1, 0.35, 0.36, 0.8]),
    ("power", 2, 0.003333333, "two_sided", [0.01, 0.02, 0.5, 1]),
    ("power", 1, 0.1, "greater", [0.5, 0.6, 1]),
    ("obrien_fleming", 0, 0.05, "two_sided", [0.25, 0.5, 0.75, 1]),
    ("obrien_fleming", 0, 0.025, "greater", [0.3, 0.6, 0.9]),
    ("pocock", 0, 0.05, "two_sided", [0.25, 0.5, 0.75, 1]),
    ("pocock", 0, 0.05, "greater", [i / 20 for i in range(1, 21)]),
    ("obrien_fleming", 0, 0.05, "two_sided", [0.4, 0.7, 1], [0.25, 0.5, 0.75]),
    ("pocock", 0, 0.025, "greater", [0.1, 0.5, 0.6, 1], [0.25, 0.5, 0.75, 1]),
]:
    times = times[0] if times else shares
    cases.append({
        "spending": spending, "exponent": exponent, "alpha": alpha, "alternative": alternative, "shares": shares, "times": times,
        "boundaries": boundaries(spending, exponent, alpha, alternative, shares, times),
    })

p_values = []
for spending, exponent, alternative, shares, statistics in [
    ("obrien_fleming", 0, "two_sided", [0.25, 0.5, 0.75, 1], [2.1, 3.3, 5]),
    ("obrien_fleming", 0, "greater", [0.3, 0.6], [1.9, 4]),
    ("pocock", 0, "two_sided", [0.2, 0.4, 0.6], [1.4, 2.5]),
    ("pocock", 0, "greater", [0.5, 1], [1.5, 6]),
    ("power", 2, "two_sided", [0.1, 0.35, 0.36, 0.8], [2.2]),
]:
    for statistic in statistics:
        def above(log, t=statistic):
            return boundaries(spending, exponent, np.exp(log), alternative, shares, shares)[-1] - t

        p_values.append({
            "spending": spending, "exponent": exponent, "alternative": alternative, "shares": shares, "statistic": statistic,
            "p_value": float(np.exp(optimize.brentq(above, np.log(1e-9), np.log(0.5), xtol=1e-14))),
        })

json.dump(
    {
        "about": "Written by group.py; see there for how each value is computed.",
        "tools": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__},
        "cases": cases,
        "p_values": p_values,
    },
    sys.stdout,
    indent=1,
)
print()
