#!/usr/bin/env python3
"""Computes bayes.json: posteriors, mixture likelihood ratios, post-stratification.

Posteriors are integrals over densities by scipy's quad, without closed forms of
the program; rates are integrated over both Beta densities. Mixture likelihood
ratios integrate over the effects. Post-stratified estimates are summed from raw
units by numpy.

    pip install numpy==2.2.6 scipy==1.14.1
    python3 bayes.py > bayes.json
"""

import json
import sys

import numpy as np
import scipy
from scipy import integrate, optimize, stats

NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)
rng = np.random.default_rng(20261121)


def quad(f, a, b, **more):
    return integrate.quad(f, a, b, epsabs=0, epsrel=1e-12, limit=1000, **more)[0]


def normal_posterior(mean, variance, prior_mean, prior_sd, alpha):
    """Of density likelihood times prior, on a grid-free scale."""
    sd = np.sqrt(variance)
    if prior_sd is None:
        log = lambda x: -((x - mean) ** 2) / (2 * variance)
    else:
        log = lambda x: -((x - mean) ** 2) / (2 * variance) - (x - prior_mean) ** 2 / (2 * prior_sd**2)
    top = optimize.minimize_scalar(lambda x: -log(x), bracket=(mean - sd, mean + sd), tol=1e-14).x
    wide = 12 * min(sd, prior_sd or sd)
    density = lambda x: np.exp(log(x) - log(top))
    low, high = top - wide, top + wide
    points = sorted({min(max(p, low), high) for p in (top - wide / 4, top, top + wide / 4)})
    whole = quad(density, low, high, points=points)
    mass = lambda a, b: quad(density, a, b, points=[p for p in points if a < p < b] or None) / whole if b > a else 0.0
    quantile = lambda q: optimize.brentq(lambda x: mass(low, x) - q, low, high, xtol=1e-15, rtol=1e-14)
    return {
        "chance": mass(min(max(0, low), high), high),
        "loss": quad(lambda x: -x * density(x), low, min(0, high)) / whole if low < 0 else 0.0,
        "low": quantile(alpha / 2),
        "high": quantile(1 - alpha / 2),
    }


def beta_posterior(xa, na, xb, nb, alpha):
    """Over the rate of the variation, by 80 nodes from one part of either density to the next."""
    a, b = stats.beta(1 + xa, 1 + na - xa), stats.beta(1 + xb, 1 + nb - xb)
    tails = [1e-20, 1e-12, 1e-6, 1e-3, 0.03, 0.2, 0.5]
    parts = lambda d: [d.ppf(p) for p in tails] + [d.isf(p) for p in tails]

    def over(f, x):
        at = sorted({min(max(p, 0.0), 1.0) for p in [0, 1, x, 1 + x, *parts(b), *(p + x for p in parts(a))]})
        at = np.array(at)[:, None]
        half = np.diff(at, axis=0) / 2
        return float((half * WEIGHTS * f(at[:-1] + half * (1 + NODES))).sum())

    below = lambda x: over(lambda p: b.pdf(p) * a.sf(p - x), x)  # P(B - A < x)
    above = lambda x: over(lambda p: b.pdf(p) * a.cdf(p - x), x)
    root = lambda f: optimize.brentq(lambda x: f(x) - alpha / 2, -1, 1, xtol=1e-15, rtol=1e-14)
    return {
        "alpha": alpha,
        "chance": above(0),
        "lose": below(0),
        "loss": over(lambda p: b.cdf(p) * a.sf(p), 0),
        "gain": over(lambda p: b.sf(p) * a.cdf(p), 0),
        "low": root(below),
        "high": root(above),
    }


def sums(x):
    return {"units": len(x), "sum": int(x.sum()), "sum_sq": int((x * x).sum())}


def arms():
    a, b = rng.poisson(7, 60), rng.poisson(7.6, 75)
    return a, b


normals = []
for prior in [None, (0.0, 0.3, "absolute"), (0.5, 0.2, "absolute"), (0.0, 0.05, "relative"), (0.02, 0.3, "relative")]:
    a, b = arms()
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    ma, mb = a.mean(), b.mean()
    if prior is None:
        p = normal_posterior(mb - ma, va + vb, None, None, 0.05)
    elif prior[2] == "absolute":
        p = normal_posterior(mb - ma, va + vb, prior[0], prior[1], 0.05)
    else:
        p = normal_posterior(mb / ma - 1, vb / ma**2 + va * mb**2 / ma**4, prior[0], prior[1], 0.05)
        p.update({k: p[k] * ma for k in ("loss", "low", "high")})
    normals.append({"baseline": sums(a), "variation": sums(b), "prior": prior, **p})

betas = [
    {"baseline": [xa, na], "variation": [xb, nb], **beta_posterior(xa, na, xb, nb, alpha)}
    for xa, na, xb, nb, alpha in [
        (163, 3304, 223, 3329, 0.05), (0, 10, 0, 12, 0.05), (7, 12, 2, 10, 0.05), (5, 5, 0, 3, 0.05), (9990, 10000, 9980, 10000, 0.05),
        (0, 1000, 3, 1000, 0.05), (1, 10000, 0, 20, 0.05), (0, 5000, 0, 200, 0.01), (3, 10000, 60, 9000, 0.05), (50, 500, 70, 500, 0.05),
        (10, 20, 5000, 10000, 0.05), (1, 1, 0, 1, 0.05), (2500, 10000, 2600, 10000, 0.001), (0, 10000, 10000, 10000, 0.05), (4, 9, 40, 10000, 0.2),
    ]
]

ratios = []
for share in (0.01, 0.05, 0.5):
    a, b = arms()
    v = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
    b, tau = b + 1, share * a.mean()
    d = b.mean() - a.mean()
    likelihood = quad(
        lambda e: np.exp(-((d - e) ** 2) / (2 * v) + d * d / (2 * v)) * stats.norm.pdf(e, 0, tau), -12 * tau - 12 * d, 12 * tau + 12 * d, points=[0, d]
    )
    ratios.append({"baseline": sums(a), "variation": sums(b), "minimum_effect": share, "p_value": min(1.0, 1 / likelihood)})

strata = []
for kind in ("mean", "ratio"):
    units = []
    for h, (na, nb, rate) in enumerate([(30, 22, 3), (12, 25, 9), (40, 41, 15)]):
        for arm, n in (("a", na), ("b", nb)):
            x = rng.poisson(rate + (arm == "b"), n)
            y = rng.poisson(2, n) + 1
            units += [(h, arm, int(i), int(j)) for i, j in zip(x, y)]
    u = np.array([(h, arm == "b", i, j) for h, arm, i, j in units])
    weights = {h: (u[:, 0] == h).mean() for h in range(3)}
    out = {}
    for arm in (0, 1):
        parts = {h: u[(u[:, 0] == h) & (u[:, 1] == arm)] for h in range(3)}
        mx = sum(weights[h] * parts[h][:, 2].mean() for h in range(3))
        my = sum(weights[h] * parts[h][:, 3].mean() for h in range(3))
        if kind == "mean":
            out[arm] = mx, sum(weights[h] ** 2 * parts[h][:, 2].var(ddof=1) / len(parts[h]) for h in range(3))
        else:
            r = mx / my
            out[arm] = r, sum(weights[h] ** 2 * (parts[h][:, 2] - r * parts[h][:, 3]).var(ddof=1) / len(parts[h]) for h in range(3)) / my**2
    (ma, va), (mb, vb) = out[0], out[1]
    q = stats.norm.isf(0.025)
    strata.append({
        "kind": kind,
        "strata": [
            [
                {"units": len(p), "sum": int(p[:, 2].sum()), "sum_sq": int((p[:, 2] ** 2).sum()), "den_sum": int(p[:, 3].sum()),
                 "den_sum_sq": int((p[:, 3] ** 2).sum()), "sum_den": int((p[:, 2] * p[:, 3]).sum())}
                for p in (u[(u[:, 0] == h) & (u[:, 1] == arm)] for arm in (0, 1))
            ]
            for h in range(3)
        ],
        "absolute": mb - ma, "low": mb - ma - q * np.sqrt(va + vb), "high": mb - ma + q * np.sqrt(va + vb),
        "p_value": 2 * stats.norm.sf(abs(mb - ma) / np.sqrt(va + vb)),
    })

json.dump(
    {
        "about": "Written by bayes.py; see there for how each value is computed.",
        "tools": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__},
        "normal": normals, "beta": betas, "mixture": ratios, "strata": strata,
    },
    sys.stdout,
    indent=1,
    default=float,
)
print()
