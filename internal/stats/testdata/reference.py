#!/usr/bin/env python3
"""Computes reference.json: expected values for internal/stats.

Everything is computed from raw unit values at 60 digits with mpmath, by ways
that the Go code does not go: two-pass variances, the delta method by numerical
differentiation, tails by mpmath's incomplete beta and gamma functions, and
quantiles by root finding. Where scipy or statsmodels have the same test, the
script stops unless they agree to 1e-9.

    pip install mpmath==1.3.0 scipy==1.14.1 statsmodels==0.14.4
    python3 reference.py > reference.json
"""

import json
import math
import random
import sys
from fractions import Fraction

import mpmath as mp
import scipy
import scipy.stats
import statsmodels
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

mp.mp.dps = 60


def number(v):
    return mp.nstr(v, 25, min_fixed=-4, max_fixed=20)


def exact(fraction):
    return mp.mpf(fraction.numerator) / fraction.denominator


def decimal_text(fraction):
    """The fraction as decimal text; its divisor is a power of ten."""
    scale = 0
    while (fraction * 10**scale).denominator != 1:
        scale += 1
    digits = str(abs((fraction * 10**scale).numerator)).rjust(scale + 1, "0")
    text = digits[: len(digits) - scale] + ("." + digits[len(digits) - scale :] if scale else "")
    return ("-" if fraction < 0 else "") + text


# Distributions


def student_tail(t, nu):
    t, nu = mp.mpf(t), mp.mpf(nu)
    if t < 0:
        return 1 - student_tail(-t, nu)
    return mp.betainc(nu / 2, mp.mpf(1) / 2, 0, nu / (nu + t * t), regularized=True) / 2


def normal_tail(z):
    return mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2


def inverse(tail, p, start):
    f = lambda u: mp.log(tail(mp.exp(u))) - mp.log(p)
    return mp.exp(mp.findroot(f, (mp.log(start), mp.log(start) + mp.mpf("1e-8"))))


def student_quantile(p, nu):
    start = scipy.stats.t.isf(float(p), float(nu))
    return inverse(lambda t: student_tail(t, nu), mp.mpf(p), mp.mpf(start))


def normal_quantile(p):
    start = scipy.stats.norm.isf(float(p))
    return inverse(normal_tail, mp.mpf(p), mp.mpf(start))


def distributions():
    nus = ["1", "1.5", "2", "3", "5.25", "12", "29.9", "30.1", "97", "1000", "3995.75", "1e5", "1e6", "3e7", "1e9"]
    tails = []
    for nu in nus:
        for t in ["1e-6", "0.01", "0.3", "0.67", "1", "1.3", "1.8", "1.96", "2.5", "3.5", "6", "11", "21", "36.5", "1000", "1e8"]:
            if mp.mpf(nu) / 2 * mp.log1p(mp.mpf(t) ** 2 / mp.mpf(nu)) > 700:
                continue  # below 1e-300
            p = student_tail(t, nu)
            if p > mp.mpf("1e-300"):
                tails.append({"nu": nu, "t": t, "p": number(p)})
    quantiles = []
    for nu in nus:
        for p in ["0.45", "0.25", "0.11", "0.05", "0.025", "0.005", "0.0005", "1e-6", "1e-12", "1e-40", "1e-290"]:
            q = student_quantile(p, nu)
            if q < mp.mpf("1e300"):
                quantiles.append({"nu": nu, "p": p, "t": number(q)})
    return {
        "student_tail": tails,
        "student_quantile": quantiles,
        "normal_tail": [{"t": z, "p": number(normal_tail(z))} for z in ["0", "1e-3", "0.5", "1", "1.96", "5", "10", "20", "30", "37"]],
        "normal_quantile": [{"p": p, "t": number(normal_quantile(p))} for p in ["0.45", "0.25", "0.05", "0.025", "0.005", "0.0005", "1e-6", "1e-12", "1e-40", "1e-290"]],
        "chi_squared_tail": [
            {"x": x, "df": df, "p": number(mp.gammainc(mp.mpf(df) / 2, mp.mpf(x) / 2, regularized=True))}
            for df in [1, 2, 3, 7, 49]
            for x in ["1e-9", "0.1", "1", "3.84", "10.8", "50", "111.1", "400", "1300"]
        ],
    }


# Comparisons


TERMS = {"mean": ["x", "xx"], "ratio": ["x", "xx", "y", "yy", "xy"]}


def sums(rows, names):
    """The exact sums by the names of the terms, from rows of fractions."""
    out = {}
    for name in names:
        total = Fraction(0)
        for row in rows:
            product = Fraction(1)
            for letter in name:
                product *= row["xypq".index(letter)]
            total += product
        out[name] = decimal_text(total)
    return out


def covariance(u, v):
    n = len(u)
    mu, mv = sum(u, Fraction(0)) / n, sum(v, Fraction(0)) / n
    return exact(sum(((a - mu) * (b - mv) for a, b in zip(u, v)), Fraction(0)) / (n - 1))


def estimate(rows, kind):
    """Point, and the variance of one unit, by differentiating the statistic."""
    x = [r[0] for r in rows]
    n = len(rows)
    mx = exact(sum(x, Fraction(0)) / n)
    if kind == "mean":
        return mx, covariance(x, x)
    y = [r[1] for r in rows]
    my = exact(sum(y, Fraction(0)) / n)
    ratio = lambda u, v: u / v
    gx, gy = mp.diff(ratio, (mx, my), (1, 0)), mp.diff(ratio, (mx, my), (0, 1))
    variance = gx**2 * covariance(x, x) + 2 * gx * gy * covariance(x, y) + gy**2 * covariance(y, y)
    return mx / my, variance


def relative_variance(a, b, va, vb):
    share = lambda u, v: (v - u) / abs(u)
    ga, gb = mp.diff(share, (a, b), (1, 0)), mp.diff(share, (a, b), (0, 1))
    return ga**2 * va + gb**2 * vb


def difference(sa, sb, na, nb, test):
    """The variances of both points, and the distribution of their difference."""
    va, vb = sa / na, sb / nb
    if test == "student":
        pooled = ((na - 1) * sa + (nb - 1) * sb) / (na + nb - 2)
        va, vb = pooled / na, pooled / nb
    if test == "z":
        return va, vb, normal_tail, normal_quantile
    nu = mp.mpf(na + nb - 2)
    if test == "welch":
        nu = (va + vb) ** 2 / (va**2 / (na - 1) + vb**2 / (nb - 1))
    return va, vb, (lambda t: student_tail(t, nu)), (lambda p: student_quantile(p, nu))


def compare(a, b, sa, sb, na, nb, test, alternative, alpha):
    """The effect between two points with unit variances sa and sb."""
    va, vb, tail, quantile = difference(sa, sb, na, nb, test)
    se = mp.sqrt(va + vb)
    t = (b - a) / se
    p = {"two_sided": 2 * tail(abs(t)), "greater": tail(t), "less": tail(-t)}[alternative]
    q = quantile(mp.mpf(alpha) / (2 if alternative == "two_sided" else 1))

    def ends(point, error):
        low = None if alternative == "less" else number(point - q * error)
        high = None if alternative == "greater" else number(point + q * error)
        return low, high

    relative = (b - a) / abs(a)
    absolute_low, absolute_high = ends(b - a, se)
    relative_low, relative_high = ends(relative, mp.sqrt(relative_variance(a, b, va, vb)))
    return {
        "absolute": number(b - a),
        "absolute_low": absolute_low,
        "absolute_high": absolute_high,
        "relative": number(relative),
        "relative_low": relative_low,
        "relative_high": relative_high,
        "p_value": number(p),
    }


def close(got, want, what):
    if want is None or (isinstance(want, float) and math.isinf(want)):
        assert got is None, what
        return
    assert abs(float(got) - want) <= 1e-9 * abs(want) + 1e-12 * abs(want), (what, got, want)


def cross_check(name, effect, rows_a, rows_b, test, alternative, alpha):
    """Compare means with scipy and statsmodels."""
    a, b = [float(r[0]) for r in rows_a], [float(r[0]) for r in rows_b]
    words = {"two_sided": "two-sided", "greater": "greater", "less": "less"}
    if test == "z":
        c = CompareMeans(DescrStatsW(b), DescrStatsW(a))
        words = {"two_sided": "two-sided", "greater": "larger", "less": "smaller"}
        _, p = c.ztest_ind(alternative=words[alternative], usevar="unequal")
        low, high = c.zconfint_diff(alpha=float(alpha), alternative=words[alternative], usevar="unequal")
    else:
        r = scipy.stats.ttest_ind(b, a, equal_var=test == "student", alternative=words[alternative])
        p = float(r.pvalue)
        ci = r.confidence_interval(1 - float(alpha))
        low, high = float(ci.low), float(ci.high)
    close(effect["p_value"], float(p), name)
    close(effect["absolute_low"], float(low), name)
    close(effect["absolute_high"], float(high), name)


def sample(rng, shape, n, kind):
    rows = []
    for _ in range(n):
        x = {
            "zero_one": lambda: Fraction(int(rng.random() < 0.07)),
            "counts": lambda: Fraction(int(rng.expovariate(0.5))),
            "money": lambda: Fraction(round(rng.lognormvariate(3, 1.2) * 100), 100) * (rng.random() < 0.3),
            "shifted": lambda: 10**12 + Fraction(rng.randrange(1000), 1000),
            "wild": lambda: Fraction(rng.randrange(-(10**15), 10**15)),
            "negative": lambda: Fraction(rng.randrange(-9000, 1000), 100),
        }[shape]()
        y = Fraction(rng.randrange(1, 9)) if kind == "ratio" else None
        rows.append((x * y if kind == "ratio" and shape == "counts" else x, y))
    return rows


def comparisons():
    rng = random.Random(20260302)
    cases = []
    plan = [
        ("mean", "zero_one", 400, 410), ("mean", "counts", 2, 3), ("mean", "counts", 50, 7),
        ("mean", "money", 300, 200), ("mean", "shifted", 40, 60), ("mean", "wild", 30, 30),
        ("mean", "negative", 25, 35), ("ratio", "counts", 5, 4), ("ratio", "money", 120, 150),
        ("ratio", "shifted", 30, 20), ("ratio", "negative", 60, 50), ("ratio", "wild", 20, 20),
    ]
    for kind, shape, na, nb in plan:
        rows_a, rows_b = sample(rng, shape, na, kind), sample(rng, shape, nb, kind)
        for test in ["welch", "z", "student"]:
            for alternative, alpha in [("two_sided", "0.05"), ("greater", "0.01"), ("less", "0.2")]:
                a, sa = estimate(rows_a, kind)
                b, sb = estimate(rows_b, kind)
                effect = compare(a, b, sa, sb, na, nb, test, alternative, alpha)
                name = f"{kind} {shape} {na}:{nb} {test} {alternative}"
                # float64 raw values around 1e12 leave scipy too few digits.
                if kind == "mean" and shape != "shifted":
                    cross_check(name, effect, rows_a, rows_b, test, alternative, alpha)
                cases.append({
                    "name": name, "kind": kind, "test": test, "alternative": alternative, "alpha": alpha,
                    "baseline": {"units": na, "sums": sums(rows_a, TERMS[kind]), "mean": number(a), "std_dev": number(mp.sqrt(sa))},
                    "variation": {"units": nb, "sums": sums(rows_b, TERMS[kind]), "mean": number(b), "std_dev": number(mp.sqrt(sb))},
                    "effect": effect,
                })
    return cases + large()


def large():
    """Up to 1e9 units, from sums alone: half of the units at each of two values."""
    cases = []
    for n, mid, step, shift in [
        (10**6, "1", "0.5", "0.001"), (10**9, "1000000", "1e15", "3e10"), (10**9, "1", "0.25", "0.0003"),
        (2, "5", "1", "0.5"), (10**6, "3", "1e-12", "1e-15"),
    ]:
        arms = []
        for centre in (Fraction(mid), Fraction(mid) + Fraction(shift)):
            s = Fraction(step)
            total, squares = n * centre, n * (centre**2 + s**2)
            arms.append((exact(centre), exact(s**2) * n / (n - 1), {"x": decimal_text(total), "xx": decimal_text(squares)}))
        (a, sa, sums_a), (b, sb, sums_b) = arms
        for test in ["welch", "z", "student"]:
            cases.append({
                "name": f"mean of {n} units around {mid} ± {step} {test}", "kind": "mean", "test": test,
                "alternative": "two_sided", "alpha": "0.05",
                "baseline": {"units": n, "sums": sums_a, "mean": number(a), "std_dev": number(mp.sqrt(sa))},
                "variation": {"units": n, "sums": sums_b, "mean": number(b), "std_dev": number(mp.sqrt(sb))},
                "effect": compare(a, b, sa, sb, n, n, test, "two_sided", "0.05"),
            })
    return cases


def relative_intervals():
    """By log and Fieller, with the distribution of the absolute effect. The ends
    of Fieller's are found as the shares at which the test of b − ρ·|a| is just
    significant, those of log by the delta method on log(b/a)."""
    rng = random.Random(20261121)
    cases = []
    plan = [
        ("mean", "zero_one", 400, 410), ("mean", "counts", 50, 70), ("mean", "money", 300, 200), ("mean", "shifted", 40, 60),
        ("mean", "negative", 45, 35), ("ratio", "money", 120, 150), ("ratio", "negative", 60, 50),
    ]
    for kind, shape, na, nb in plan:
        rows_a, rows_b = sample(rng, shape, na, kind), sample(rng, shape, nb, kind)
        (a, sa), (b, sb) = estimate(rows_a, kind), estimate(rows_b, kind)
        for test in ["welch", "z", "student"]:
            for alternative, alpha in [("two_sided", "0.05"), ("greater", "0.01"), ("less", "0.2")]:
                va, vb, _, quantile = difference(sa, sb, na, nb, test)
                q = quantile(mp.mpf(alpha) / (2 if alternative == "two_sided" else 1))
                g = mp.diff(lambda u: mp.log(abs(u)), a), mp.diff(lambda u: mp.log(abs(u)), b)
                d = q * mp.sqrt(g[0] ** 2 * va + g[1] ** 2 * vb)
                log_ends = sorted((b / a * mp.exp(u) * a - a) / abs(a) for u in (-d, d))
                assert q**2 * va < a**2
                fieller_ends = []
                for side in (-1, 1):
                    f = lambda rho: (b - rho * abs(a)) + side * q * mp.sqrt(vb + rho**2 * va)
                    delta_end = b / abs(a) + side * q * mp.sqrt(relative_variance(a, b, va, vb))
                    rho = mp.findroot(f, (delta_end, delta_end * (1 + mp.mpf("1e-6"))))
                    fieller_ends.append(rho - mp.sign(a))
                keep = lambda pair: [
                    None if alternative == "less" else number(pair[0]), None if alternative == "greater" else number(pair[1]),
                ]
                cases.append({
                    "name": f"{kind} {shape} {na}:{nb} {test} {alternative}", "kind": kind, "test": test,
                    "alternative": alternative, "alpha": alpha,
                    "baseline": {"units": na, "sums": sums(rows_a, TERMS[kind])}, "variation": {"units": nb, "sums": sums(rows_b, TERMS[kind])},
                    "log": keep(log_ends), "fieller": keep(fieller_ends),
                })
    return cases


def adjusted(arms, kind):
    """Adjusts every unit's value by its covariate, both linearised, and takes
    means and variances of the adjusted values."""

    def linear(rows, i, point, scale):
        return [(exact(r[i]) - (point * exact(r[i + 1]) if kind == "ratio" else point)) / scale for r in rows]

    def point_of(rows, i):
        total = exact(sum((r[i] for r in rows), Fraction(0)))
        below = exact(sum((r[i + 1] for r in rows), Fraction(0))) if kind == "ratio" else len(rows)
        return total / below, below / len(rows) if kind == "ratio" else mp.mpf(1)

    rows = arms[0] + arms[1]
    x, p = linear(rows, 0, *point_of(rows, 0)), linear(rows, 2, *point_of(rows, 2))
    theta = mp.fdot(x, p) / mp.fdot(p, p)  # least squares of values that add up to zero
    centre = point_of(rows, 2)[0]
    out = []
    for arm in arms:
        (r, ry), (c, cy) = point_of(arm, 0), point_of(arm, 2)
        values = [r + u - theta * (c + v - centre) for u, v in zip(linear(arm, 0, r, ry), linear(arm, 2, c, cy))]
        mean = mp.fsum(values) / len(values)
        out.append((mean, mp.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)))
    return out


def adjustments():
    rng = random.Random(20261122)
    cases = []
    for kind, shape, na, nb in [
        ("mean", "zero_one", 60, 50), ("mean", "counts", 5, 4), ("mean", "money", 80, 70), ("mean", "negative", 30, 40),
        ("ratio", "counts", 12, 9), ("ratio", "money", 60, 50), ("ratio", "negative", 30, 40),
    ]:
        arms = []
        for n in (na, nb):
            before, after, own = (sample(rng, shape, n, kind) for _ in range(3))
            arms.append([(a[0] + b[0], a[1] and a[1] + b[1], b[0] + o[0], a[1] and b[1] + o[1]) for a, b, o in zip(after, before, own)])
        (a, sa), (b, sb) = adjusted(arms, kind)
        raw = [estimate([r[:2] for r in arm], kind)[1] for arm in arms]
        terms = ["x", "xx", "p", "pp", "xp"]
        if kind == "ratio":
            terms += ["y", "yy", "xy", "q", "qq", "xq", "yp", "yq", "pq"]
        for test in ["welch", "z", "student"]:
            cases.append({
                "name": f"{kind} {shape} {na}:{nb} {test}", "kind": kind, "test": test,
                "baseline": {"units": na, "sums": sums(arms[0], terms)}, "variation": {"units": nb, "sums": sums(arms[1], terms)},
                "variance_reduction": number(1 - (sa / na + sb / nb) / (raw[0] / na + raw[1] / nb)),
                "effect": compare(a, b, sa, sb, na, nb, test, "two_sided", "0.05"),
            })
    return cases


def sample_ratios():
    out = []
    for units, weights in [
        ([3304, 3367, 3329], ["1", "1", "1"]), ([89000, 11000], ["90", "10"]), ([500100, 499900], ["0.5", "0.5"]),
        ([1, 0], ["1", "1"]), ([120, 0, 130, 251], ["25", "0", "25", "50"]), ([10**9, 10**9 + 200000], ["1", "1"]),
        ([10500, 9500], ["50", "50"]), ([33, 33, 34, 20, 15], ["1", "1", "1", "0.5", "0.5"]),
    ]:
        kept = [(u, Fraction(w)) for u, w in zip(units, weights) if Fraction(w) > 0]
        total, weight = sum(u for u, _ in kept), sum(w for _, w in kept)
        expected = [exact(total * w / weight) for _, w in kept]
        statistic = sum((u - e) ** 2 / e for (u, _), e in zip(kept, expected))
        df = len(kept) - 1
        p = mp.gammainc(mp.mpf(df) / 2, statistic / 2, regularized=True)
        r = scipy.stats.chisquare([u for u, _ in kept], [float(e) for e in expected])
        close(number(p), float(r.pvalue), "sample ratio")
        out.append({"units": units, "weights": weights, "statistic": number(statistic), "df": df, "p_value": number(p)})
    return out


json.dump(
    {
        "about": "Written by reference.py; see there for how each value is computed.",
        "tools": {
            "python": sys.version.split()[0], "mpmath": mp.__version__,
            "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
        },
        "distributions": distributions(),
        "comparisons": comparisons(),
        "relative_intervals": relative_intervals(),
        "adjustments": adjustments(),
        "sample_ratios": sample_ratios(),
    },
    sys.stdout,
    indent=1,
)
print()
