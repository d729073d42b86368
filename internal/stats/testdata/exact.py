#!/usr/bin/env python3
"""Computes exact.json: expected p-values of tests of two counts.

Exact tests by going through all tables: in order of exact rational statistics,
with the largest probability over common rates by a fine grid and scipy's bounded
minimiser from its best points. The script stops unless scipy's own functions
agree, where they find the largest probability. χ² tests are computed
with mpmath at 60 digits; scipy's chi2_contingency without correction must agree to
1e-6, which is what it has for the rarest counts here.

    pip install mpmath==1.3.0 numpy==1.26.4 scipy==1.14.1
    python3 exact.py > exact.json
"""

import json
import math
import sys
from fractions import Fraction

import mpmath as mp
import numpy as np
import scipy
from scipy import optimize, stats

mp.mp.dps = 60

WORDS = {"two_sided": "two-sided", "greater": "greater", "less": "less"}


def worst(na, nb, tables):
    """The largest probability of the tables over common rates."""
    xa, xb = np.array([t[0] for t in tables]), np.array([t[1] for t in tables])

    def f(theta):
        p = math.sin(theta) ** 2
        return float(np.dot(stats.binom.pmf(np.arange(na + 1), na, p)[xa], stats.binom.pmf(np.arange(nb + 1), nb, p)[xb]))

    grid = np.linspace(0, math.pi / 2, 4001)
    values = [f(u) for u in grid]
    best = max(values)
    for i in sorted(range(len(grid)), key=lambda i: -values[i])[:40]:
        low, high = grid[max(0, i - 1)], grid[min(len(grid) - 1, i + 1)]
        r = optimize.minimize_scalar(lambda u: -f(u), bounds=(low, high), method="bounded", options={"xatol": 1e-12})
        best = max(best, -r.fun)
    return min(1.0, best)


def score(xa, na, xb, nb):
    """The signed square of the difference in pooled standard errors."""
    s, n = xa + xb, na + nb
    if s in (0, n):
        return Fraction(0)
    d = xb * na - xa * nb
    return Fraction(d * abs(d), s * (n - s))


def fisher(xa, na, xb, nb, alternative):
    return stats.fisher_exact([[xb, xa], [nb - xb, na - xa]], alternative=WORDS[alternative]).pvalue


def hypergeometric_from(xa, na, xb, nb):
    """Fisher's p-value of a greater rate in b, exactly."""
    s = xa + xb
    total = math.comb(na + nb, s)
    return Fraction(sum(math.comb(nb, k) * math.comb(na, s - k) for k in range(xb, min(nb, s) + 1)), total)


def barnard(xa, na, xb, nb, alternative):
    observed = score(xa, na, xb, nb)
    more = {
        "greater": lambda v: v >= observed,
        "less": lambda v: v <= observed,
        "two_sided": lambda v: abs(v) >= abs(observed),
    }[alternative]
    return worst(na, nb, [(i, j) for i in range(na + 1) for j in range(nb + 1) if more(score(i, na, j, nb))])


def boschloo(xa, na, xb, nb, alternative):
    if alternative == "two_sided":
        return min(1.0, 2 * min(boschloo(xa, na, xb, nb, "greater"), boschloo(xa, na, xb, nb, "less")))
    if alternative == "less":
        return boschloo(na - xa, na, nb - xb, nb, "greater")
    observed = hypergeometric_from(xa, na, xb, nb)
    return worst(na, nb, [
        (i, j) for i in range(na + 1) for j in range(nb + 1) if hypergeometric_from(i, na, j, nb) <= observed
    ])


cases = []
for xa, na, xb, nb in [
    (1, 4, 3, 5), (0, 6, 4, 7), (7, 12, 2, 10), (5, 25, 12, 25), (3, 40, 11, 35), (20, 30, 29, 33), (0, 20, 20, 20), (2, 50, 3, 8),
]:
    for alternative in ["two_sided", "greater", "less"]:
        word = WORDS[alternative]
        t = [[xb, xa], [nb - xb, na - xa]]
        p = {
            "fisher": fisher(xa, na, xb, nb, alternative),
            "barnard": barnard(xa, na, xb, nb, alternative),
            "boschloo": boschloo(xa, na, xb, nb, alternative),
        }
        for name, theirs in [
            ("barnard", stats.barnard_exact(t, alternative=word, n=256).pvalue),
            ("boschloo", stats.boschloo_exact(t, alternative=word, n=256).pvalue),
        ]:
            if not math.isclose(p[name], theirs, rel_tol=1e-8):
                assert p[name] > theirs, (name, t, word, p[name], theirs)  # theirs is not the largest
                print(f"scipy's {name} of {t} {word} is {theirs}, the largest is {p[name]}", file=sys.stderr)
        cases.append({"baseline": [xa, na], "variation": [xb, nb], "alternative": alternative, "p_values": p})

chi2 = []
for xa, na, xb, nb in [
    (163, 3304, 223, 3329), (19, 53, 13, 47), (0, 10, 10, 10), (5, 1000, 9, 900), (500_000, 10**6, 500_700, 10**6 + 5), (1, 10**9, 30, 10**9),
]:
    t = [[xb, nb - xb], [xa, na - xa]]
    p = {}
    for name, term, word in [
        ("pearson", lambda o, e: (o - e) ** 2 / e, "pearson"),
        ("g", lambda o, e: 2 * o * mp.log(o / e) if o else mp.mpf(0), "log-likelihood"),
    ]:
        n = na + nb
        expected = [[mp.mpf(sum(row)) * (r[0][j] + r[1][j]) / n for j in (0, 1)] for r in [t] for row in t]
        x = mp.fsum(term(mp.mpf(t[i][j]), expected[i][j]) for i in (0, 1) for j in (0, 1))
        p[name] = float(mp.erfc(mp.sqrt(x / 2)))
        theirs = float(stats.chi2_contingency(t, correction=False, lambda_=word).pvalue)
        assert math.isclose(p[name], theirs, rel_tol=1e-6), (t, name, p[name], theirs)
    chi2.append({"baseline": [xa, na], "variation": [xb, nb], **p})

multinomial = []
for units, weights in [
    ([53, 47], [1, 1]), ([0, 7], [1, 3]), ([12, 30], [1, 2]), ([30_200, 29_800], [1, 1]), ([9, 2, 4], [1, 1, 1]), ([20, 3, 1, 0], [6, 2, 1, 1]),
    ([40, 33, 27], [5, 3, 2]),
]:
    n, k, total = sum(units), len(units), sum(weights)
    if k == 2:
        p = stats.binomtest(units[0], n, weights[0] / total).pvalue
    else:
        # All outcomes in exact whole numbers: n!/∏x! · ∏wˣ.
        def likelihood(x):
            v = math.factorial(n)
            for xi, wi in zip(x, weights):
                v = v // math.factorial(xi) * wi**xi
            return v

        def outcomes(left, parts):
            if parts == 1:
                yield (left,)
                return
            for first in range(left + 1):
                for rest in outcomes(left - first, parts - 1):
                    yield (first, *rest)

        limit = likelihood(units)
        p = float(Fraction(sum(v for v in map(likelihood, outcomes(n, k)) if v <= limit), total**n))
    multinomial.append({"units": units, "weights": [str(w) for w in weights], "p_value": float(p)})

json.dump(
    {
        "about": "Written by exact.py; see there for how each value is computed.",
        "tools": {"python": sys.version.split()[0], "mpmath": mp.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
        "exact": cases, "chi_squared": chi2, "multinomial": multinomial,
    },
    sys.stdout,
    indent=1,
)
print()
