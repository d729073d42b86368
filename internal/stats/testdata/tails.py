#!/usr/bin/env python3
"""Computes tails.json: p-values and chances down to 1e-300, from 2 to 1e9 units.

All by mpmath at 60 digits, from definitions: likelihood ratios are integrated over
the mixture, losses over the posterior, Beta posteriors in sums of factorials.

    pip install mpmath==1.3.0
    python3 tails.py > tails.json
"""

import json
import sys

import mpmath as mp

mp.mp.dps = 60


def text(v):
    return mp.nstr(v, 20)


def upper(z):
    return mp.erfc(z / mp.sqrt(2)) / 2


def rate(x, n):
    p = mp.mpf(x) / n
    return p, p * (1 - p) / n


RATES = [  # xa, na, xb, nb
    (1, 2, 1, 3), (40, 100, 52, 110), (5000, 10**5, 6700, 10**5), (5 * 10**7, 10**9, 50_250_000, 10**9), (300, 1000, 900, 1100), (10, 10**6, 900, 10**6),
    (200_000, 10**6, 216_000, 10**6), (1, 10**9, 1400, 10**9),
    # All units of one variation are alike: its variance is 0.
    (0, 2, 1, 3), (0, 10**5, 700, 10**5), (10**6, 10**6, 999_000, 10**6), (400, 1000, 0, 1100), (3, 10**9, 0, 10**9),
]

z_tests, counts, sequences, posteriors = [], [], [], []
for xa, na, xb, nb in RATES:
    (pa, va), (pb, vb) = rate(xa, na), rate(xb, nb)
    z = (pb - pa) / mp.sqrt(va + vb)
    arms = {"baseline": [xa, na], "variation": [xb, nb]}
    z_tests.append({**arms, "p_value": text(2 * upper(abs(z)))})

    n, s = na + nb, xa + xb
    cells = [(mp.mpf(o), mp.mpf(row) * col / n) for o, row, col in [(xa, na, s), (na - xa, na, n - s), (xb, nb, s), (nb - xb, nb, n - s)]]
    chi = sum((o - e) ** 2 / e for o, e in cells)
    g = 2 * sum(o * mp.log(o / e) for o, e in cells if o)
    counts.append({**arms, "pearson": text(mp.erfc(mp.sqrt(chi / 2))), "g": text(mp.erfc(mp.sqrt(g / 2)))})

    # The likelihood of z with effects from N(0, r), by that of none.
    for tuned in (500, 5000, 10**7):
        l = -2 * mp.log(mp.mpf(5) / 100)
        r = n * (l + mp.log(1 + l)) / tuned
        top = z * r / (1 + r)
        wide = 40 * mp.sqrt(r / (1 + r))
        scale = top * z - top * top / 2 - top * top / (2 * r)
        f = lambda e: mp.exp(e * z - e * e / 2 - e * e / (2 * r) - scale)
        ratio = mp.exp(scale) * mp.quad(f, [top + wide * mp.mpf(i) / 8 for i in range(-8, 9)]) / mp.sqrt(2 * mp.pi * r)
        sequences.append({**arms, "tuned_at": tuned, "p_value": text(min(1, 1 / ratio))})

    # Flat, and N(0, 0.01²).
    for sd in (None, mp.mpf(1) / 100):
        w = 1 if sd is None else sd**2 / (sd**2 + va + vb)
        mean, deviation = w * (pb - pa), mp.sqrt(w * (va + vb))
        # By the density at zero, for what is integrated must not be tiny.
        density = lambda x: mp.exp(x * (2 * mean - x) / (2 * deviation**2))
        at_zero = mp.exp(-(mean**2) / (2 * deviation**2)) / (deviation * mp.sqrt(2 * mp.pi))
        # The mass below zero, in pieces around where it is.
        at = min(mean, -deviation**2 / mean if mean > 0 else mean)
        step = min(deviation, deviation**2 / abs(mean)) * 3
        points = sorted({mp.mpf(0), *(p for i in range(-40, 41) if (p := at + step * i) < 0), min(mean - 45 * deviation, -step)})
        loss = at_zero * mp.quad(lambda x: -x * density(x), points)
        posteriors.append({**arms, "sd": None if sd is None else text(sd), "lose": text(upper(mean / deviation)), "loss": text(loss)})


def beta_wins(a, b, c, d):
    """P(B > A) of A ~ Beta(a, b), B ~ Beta(c, d), whole numbers, in a sum of terms of one sign."""
    lnbeta = lambda u, v: mp.loggamma(u) + mp.loggamma(v) - mp.loggamma(u + v)
    return mp.fsum(mp.exp(lnbeta(a + i, b + d) - mp.log(d + i) - lnbeta(1 + i, d) - lnbeta(a, b)) for i in range(c))


betas = []
for xa, na, xb, nb in [(1, 2, 1, 3), (40, 100, 52, 110), (200, 1000, 300, 1000), (200, 1000, 370, 1000), (900, 9000, 1300, 9500), (5000, 10_000, 5450, 10_000), (3, 10_000, 60, 9000), (3000, 10_000, 4100, 10_000), (1000, 10_000, 2950, 9000)]:
    a, b, c, d = 1 + xa, 1 + na - xa, 1 + xb, 1 + nb - xb
    win, lose = beta_wins(a, b, c, d), beta_wins(c, d, a, b)
    assert abs(win + lose - 1) < mp.mpf("1e-40")
    betas.append({"baseline": [xa, na], "variation": [xb, nb], "win": text(win), "lose": text(lose)})

json.dump(
    {
        "about": "Written by tails.py; see there for how each value is computed.",
        "tools": {"python": sys.version.split()[0], "mpmath": mp.__version__},
        "z": z_tests, "counts": counts, "always_valid": sequences, "posteriors": posteriors, "betas": betas,
    },
    sys.stdout,
    indent=1,
)
print()
