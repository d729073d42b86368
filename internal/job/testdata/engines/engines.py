#!/usr/bin/env python3
"""Computes engines.json: what other engines of experiments make of the same sums.

Draws units, hands them or their sums to gbstats (GrowthBook), statsmodels, tea-tasting, expan,
spotify-confidence and ambrosia, and keeps sums and answers, for a test that hands the sums to
Stats. Only numbers whose definitions agree are kept; docs/statistics.md tells which do not.

    pip install --no-deps expan==1.4.0 simplejson==4.3.0 ambrosia==0.5.3.post1 joblib==1.4.2
    pip install gbstats==0.8.0 tea-tasting==1.14.0 statsmodels==0.14.4 scipy==1.14.1 numpy==1.26.4
    pip install spotify-confidence==4.1.0
    python3 engines.py > engines.json
"""

import contextlib
import json
import math
import sys
from importlib.metadata import version
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import scipy.stats  # expan takes it for loaded
import tea_tasting as tt
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import (
    FrequentistConfig,
    OneSidedTreatmentGreaterTTest,
    OneSidedTreatmentLesserTTest,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (
    ProportionStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
)
from gbstats.utils import check_srm
from spotify_confidence.analysis.frequentist.experiment import Experiment
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

# expan and ambrosia load what is not called here; expan prints its name.
for name in ("pystan", "catboost", "sklearn", "sklearn.linear_model", "sklearn.manifold", "sklearn.metrics"):
    sys.modules[name] = MagicMock()
with contextlib.redirect_stdout(sys.stderr):
    from expan.core.statistics import normal_sample_weighted_difference
from ambrosia.preprocessing.cuped import Cuped
from ambrosia.tools.bin_intervals import BinomTwoSampleCI
from ambrosia.tools.srm import check_srm_from_counts
from ambrosia.tools.stat_criteria import TtestIndCriterion

rng = np.random.default_rng(20261121)

COLUMNS = {
    "sum": "x", "sum_sq": "xx", "den_sum": "y", "den_sum_sq": "yy", "sum_den": "xy", "pre_sum": "p", "pre_sum_sq": "pp", "sum_pre": "xp",
    "pre_den_sum": "q", "pre_den_sum_sq": "qq", "sum_pre_den": "xq", "den_sum_pre": "yp", "den_sum_pre_den": "yq", "pre_sum_pre_den": "pq",
}

# What the values of units look like: whole numbers of cents where there is money,
# so that sums are exact.
SHAPES = {
    "rate": lambda n, rate: (rng.random(n) < rate).astype(int),
    "counts": lambda n, mean: rng.poisson(mean, n),
    "money": lambda n, share: np.where(rng.random(n) < share, np.round(rng.lognormal(7, 1, n)), 0).astype(int),
    "losses": lambda n, mean: np.round(rng.normal(-mean, 3 * mean, n)).astype(int),
}


def arm(shape, n, parameter, covariate=False, ratio=False):
    """Values by letter."""
    x = SHAPES[shape](n, parameter)
    u = {"x": x}
    if ratio:
        u["y"] = rng.poisson(3, n) + 1
        u["x"] = x * u["y"]
    if covariate:
        u["p"] = np.where(rng.random(n) < 0.6, u["x"], SHAPES[shape](n, parameter))
        if ratio:
            u["q"] = rng.poisson(3, n) + 1
    return u


def sum_of(u, letters):
    product = np.ones(len(u["x"]), dtype=np.int64)
    for letter in letters:
        product = product * u[letter].astype(np.int64)
    return int(product.sum())


def row(u, kind, name, **more):
    out = {"metric": "m", "kind": kind, "variation": name, "baseline": name == "control", "units": len(u["x"])}
    for column, letters in COLUMNS.items():
        if all(letter in u for letter in letters):
            out[column] = str(sum_of(u, letters))
    return {**out, **more}


cases = []


def case(name, call, analysis, rows, information=None, **expected):
    for key, value in expected.items():
        if isinstance(value, float) and math.isinf(value):
            expected[key] = None
        elif value is not None:
            expected[key] = float(value)
    made = {"name": name, "call": call, "analysis": analysis, "rows": rows, "expected": expected}
    cases.append({**made, "information": information} if information else made)


# GrowthBook


def gb_value(u, letter, kind):
    n = len(u["x"])
    if kind == "proportion":
        return ProportionStatistic(n=n, sum=sum_of(u, letter))
    return SampleMeanStatistic(n=n, sum=sum_of(u, letter), sum_squares=sum_of(u, letter * 2))


def gb_statistic(u, kind):
    n = len(u["x"])
    if kind == "ratio":
        return RatioStatistic(
            n=n, m_statistic=gb_value(u, "x", "mean"), d_statistic=gb_value(u, "y", "mean"), m_d_sum_of_products=sum_of(u, "xy")
        )
    if "p" in u:
        return RegressionAdjustedStatistic(
            n=n, post_statistic=gb_value(u, "x", kind), pre_statistic=gb_value(u, "p", kind), post_pre_sum_of_products=sum_of(u, "xp"), theta=0
        )
    return gb_value(u, "x", kind)


PLAN = [
    ("mean", "counts", 40, 2.0, 55, 2.6, False), ("mean", "money", 900, 0.3, 1200, 0.36, False), ("mean", "losses", 300, 20, 280, 14, False),
    ("mean", "rate", 30_000, 0.05, 31_000, 0.054, False), ("proportion", "rate", 500, 0.2, 700, 0.26, False),
    ("proportion", "rate", 30_000, 0.05, 31_000, 0.056, False), ("ratio", "counts", 60, 2.0, 80, 2.4, False),
    ("ratio", "money", 2000, 0.2, 1500, 0.22, False), ("mean", "counts", 80, 4.0, 90, 4.8, True), ("mean", "money", 3000, 0.3, 2500, 0.33, True),
    ("proportion", "rate", 1200, 0.3, 1100, 0.35, True),
]

for kind, shape, na, pa, nb, pb, cuped in PLAN:
    control, treatment = arm(shape, na, pa, cuped, kind == "ratio"), arm(shape, nb, pb, cuped, kind == "ratio")
    rows = [row(control, kind, "control"), row(treatment, kind, "treatment")]
    a, b = lambda: gb_statistic(control, kind), lambda: gb_statistic(treatment, kind)
    cuped_option = "cuped: {days: 14}, " if cuped else ""
    what = f"{kind} of {shape}, {na} and {nb} units" + (", adjusted" if cuped else "")
    for alpha in (0.05, 0.01):
        absolute = TwoSidedTTest(a(), b(), FrequentistConfig(difference_type="absolute", alpha=alpha)).compute_result()
        relative = TwoSidedTTest(a(), b(), FrequentistConfig(difference_type="relative", alpha=alpha)).compute_result()
        expected = {"absolute_effect": absolute.expected, "absolute_low": absolute.ci[0], "absolute_high": absolute.ci[1], "p_value": absolute.p_value}
        # Theirs is of the mean that is not adjusted; and by the mean with its sign.
        if not cuped and shape != "losses":
            expected.update(relative_effect=relative.expected, relative_low=relative.ci[0], relative_high=relative.ci[1])
        case(f"{what}, alpha {alpha}", "gbstats TwoSidedTTest", f"{{{cuped_option}alpha: {alpha}}}", rows, **expected)
    greater = OneSidedTreatmentGreaterTTest(a(), b(), FrequentistConfig(difference_type="absolute", alpha=0.05)).compute_result()
    case(f"{what}, greater", "gbstats OneSidedTreatmentGreaterTTest", f"{{{cuped_option}alternative: greater}}", rows,
         absolute_low=greater.ci[0], absolute_high=greater.ci[1], p_value=greater.p_value)
    less = OneSidedTreatmentLesserTTest(a(), b(), FrequentistConfig(difference_type="absolute", alpha=0.05)).compute_result()
    # The end of their interval is on the wrong side of the estimate.
    case(f"{what}, less", "gbstats OneSidedTreatmentLesserTTest", f"{{{cuped_option}alternative: less}}", rows, p_value=less.p_value)
    for tuned in (5000, 400):
        absolute = SequentialTwoSidedTTest(a(), b(), SequentialConfig(difference_type="absolute", sequential_tuning_parameter=tuned)).compute_result()
        relative = SequentialTwoSidedTTest(a(), b(), SequentialConfig(difference_type="relative", sequential_tuning_parameter=tuned)).compute_result()
        expected = {"absolute_low": absolute.ci[0], "absolute_high": absolute.ci[1], "p_value": absolute.p_value}
        if not cuped and shape != "losses":
            expected.update(relative_low=relative.ci[0], relative_high=relative.ci[1])
        case(f"{what}, sequential, tuned at {tuned}", "gbstats SequentialTwoSidedTTest",
             f"{{{cuped_option}peeking: {{method: always_valid, tuned_at: {tuned}}}}}", rows, **expected)

    # Rates of few units have Beta posteriors here; there they are normal.
    for inverse in (False, True):
        for prior, of in [(None, "absolute"), ((0.0, 0.3), "relative"), ((0.02, 0.1), "relative"), ((-0.5, 2.0), "absolute")]:
            if prior is None and shape == "rate" and max(na, nb) <= 10_000 and not cuped:
                continue
            if cuped and of == "relative" or shape == "losses" and of == "relative":
                continue
            config = EffectBayesianConfig(
                difference_type=of, prior_type=of, inverse=inverse, alpha=0.05,
                prior_effect=GaussianPrior(prior[0], prior[1] ** 2, True) if prior else GaussianPrior(),
            )
            r = EffectBayesianABTest(a(), b(), config).compute_result()
            # The test adjusts its statistics where it is made.
            size = abs(a().unadjusted_mean) if of == "relative" else 1.0
            text = f"{{prior: {{mean: {prior[0]}, sd: {prior[1]}, of: {of}}}}}" if prior else "{prior: flat}"
            better = [{**r, "better": "lower" if inverse else "higher"} for r in rows]
            case(f"{what}, prior {prior} of {of}, {'lower' if inverse else 'higher'} is better", "gbstats EffectBayesianABTest",
                 f"{{{cuped_option}bayesian: {text}}}", better, chance_to_win=r.chance_to_win, expected_loss=r.risk[1] * size, credible_low=r.ci[0] * size, credible_high=r.ci[1] * size)

for units, weights in [([501_000, 499_000], [1, 1]), ([1_200_000, 799_000, 2_000_500], [3, 2, 5]), ([900, 1100, 1000, 950, 1010], [1, 1, 1, 1, 1])]:
    rows = [
        {"metric": "m", "kind": "proportion", "variation": f"v{i}", "baseline": i == 0, "units": n, "weight": w, "sum": n // 10}
        for i, (n, w) in enumerate(zip(units, weights))
    ]
    cases.append({"name": f"sample ratio of {units}", "call": "gbstats check_srm", "analysis": "{}", "rows": rows,
                  "expected": {"sample_ratio": float(check_srm(units, weights))}})

# statsmodels


for shape, na, pa, nb, pb in [("counts", 40, 2.0, 55, 2.6), ("money", 900, 0.3, 1200, 0.36), ("losses", 300, 20, 280, 14)]:
    control, treatment = arm(shape, na, pa), arm(shape, nb, pb)
    rows = [row(control, "mean", "control"), row(treatment, "mean", "treatment")]
    c = CompareMeans(DescrStatsW(treatment["x"]), DescrStatsW(control["x"]))
    for alternative, word in [("two_sided", "two-sided"), ("greater", "larger"), ("less", "smaller")]:
        for test, variance in [("welch", "unequal"), ("student", "pooled")]:
            low, high = c.tconfint_diff(alpha=0.05, alternative=word, usevar=variance)
            case(f"mean of {shape}, {test}, {alternative}", f"statsmodels CompareMeans.ttest_ind, tconfint_diff, usevar={variance}",
                 f"{{test: {test}, alternative: {alternative}}}", rows, absolute_low=low, absolute_high=high,
                 p_value=c.ttest_ind(alternative=word, usevar=variance)[1])
        low, high = c.zconfint_diff(alpha=0.1, alternative=word, usevar="unequal")
        case(f"mean of {shape}, z, {alternative}", "statsmodels CompareMeans.ztest_ind, zconfint_diff, usevar=unequal",
             f"{{test: z, alpha: 0.1, alternative: {alternative}}}", rows, absolute_low=low, absolute_high=high,
             p_value=c.ztest_ind(alternative=word, usevar="unequal")[1])

for xa, na, xb, nb in [(163, 3304, 223, 3329), (12, 40, 25, 45), (5000, 100_000, 5200, 100_400)]:
    rows = [
        {"metric": "m", "kind": "proportion", "variation": name, "baseline": name == "control", "units": n, "sum": x}
        for name, x, n in [("control", xa, na), ("treatment", xb, nb)]
    ]
    low, high = confint_proportions_2indep(xb, nb, xa, na, method="wald", compare="diff")
    low_ratio, high_ratio = confint_proportions_2indep(xb, nb, xa, na, method="log", compare="ratio")
    case(f"rates {xa}/{na} and {xb}/{nb}, z", "statsmodels test_proportions_2indep, confint_proportions_2indep, method wald; of the ratio log",
         "{test: z, relative_interval: log}", rows, absolute_low=low, absolute_high=high, relative_low=low_ratio - 1, relative_high=high_ratio - 1,
         p_value=test_proportions_2indep(xb, nb, xa, na, method="wald", compare="diff").pvalue)
    case(f"rates {xa}/{na} and {xb}/{nb}, Pearson", "statsmodels Table2x2.test_nominal_association", "{test: pearson}", rows,
         p_value=Table2x2(np.array([[xb, nb - xb], [xa, na - xa]]), shift_zeros=False).test_nominal_association().pvalue)

p_rows, p_values = [], []
for i, (xa, xb) in enumerate([(50, 71), (40, 44), (30, 51), (60, 42), (45, 47)]):
    for name, x in [("control", xa), ("treatment", xb)]:
        p_rows.append({"metric": f"m{i}", "kind": "proportion", "variation": name, "baseline": name == "control", "units": 1000, "sum": x})
    p_values.append(test_proportions_2indep(xb, 1000, xa, 1000, method="wald", compare="diff").pvalue)
for ours, theirs in [
    ("bonferroni", "bonferroni"), ("sidak", "sidak"), ("holm", "holm"), ("holm_sidak", "holm-sidak"), ("hochberg", "simes-hochberg"),
    ("hommel", "hommel"), ("benjamini_hochberg", "fdr_bh"), ("benjamini_yekutieli", "fdr_by"),
]:
    adjusted = multipletests(p_values, method=theirs)[1]
    cases.append({"name": f"five rates, {ours}", "call": f"statsmodels multipletests, method={theirs}",
                  "analysis": f"{{test: z, correction: {{method: {ours}}}}}", "rows": p_rows,
                  "expected": {f"m{i} p_value_adjusted": float(p) for i, p in enumerate(adjusted)}})

# tea-tasting


def aggregates(u):
    names = {"x": "x", "y": "y", "p": "p", "q": "q"}
    keys = [k for k in names if k in u]
    values = {k: u[k].astype(float) for k in keys}
    pairs = [(a, b) for i, a in enumerate(keys) for b in keys[i + 1:]]
    return tt.aggr.Aggregates(
        count_=len(u["x"]), mean_={k: v.mean() for k, v in values.items()}, var_={k: v.var(ddof=1) for k, v in values.items()},
        cov_={(a, b): float(np.cov(values[a], values[b], ddof=1)[0, 1]) for a, b in pairs},
    )


for ratio, covariate, shape, na, pa, nb, pb in [
    (False, False, "counts", 70, 2.0, 60, 2.5), (False, True, "money", 2000, 0.3, 1700, 0.35), (True, False, "counts", 300, 2.0, 200, 2.2),
    (True, True, "counts", 500, 2.0, 700, 2.2),
]:
    control, treatment = arm(shape, na, pa, covariate, ratio), arm(shape, nb, pb, covariate, ratio)
    kind = "ratio" if ratio else "mean"
    rows = [row(control, kind, "control"), row(treatment, kind, "treatment")]
    for use_t, equal_var, test in [(True, False, "welch"), (False, False, "z"), (True, True, "student")]:
        for alternative, word in [("two_sided", "two-sided"), ("greater", "greater"), ("less", "less")]:
            metric = tt.RatioOfMeans(
                "x", "y" if ratio else None, "p" if covariate else None, "q" if ratio and covariate else None,
                alternative=word, confidence_level=0.95, equal_var=equal_var, use_t=use_t,
            )
            r = metric.analyze_aggregates(aggregates(control), aggregates(treatment))
            expected = {
                "absolute_effect": r.effect_size, "absolute_low": r.effect_size_ci_lower, "absolute_high": r.effect_size_ci_upper, "p_value": r.pvalue,
                "relative_effect": r.rel_effect_size,
            }
            if test == "z":  # else theirs has degrees of freedom of its own
                expected.update(relative_low=r.rel_effect_size_ci_lower, relative_high=r.rel_effect_size_ci_upper)
            option = "cuped: {days: 14}, " if covariate else ""
            case(f"{kind} of {shape}{', adjusted' if covariate else ''}, {test}, {alternative}", "tea-tasting RatioOfMeans.analyze_aggregates",
                 f"{{{option}test: {test}, alternative: {alternative}, relative_interval: log}}", rows, **expected)

# expan


for kind, shape, na, pa, nb, pb in [("mean", "counts", 40, 2.0, 55, 2.6), ("mean", "money", 900, 0.3, 1200, 0.36), ("ratio", "counts", 300, 2.0, 250, 2.2),
                                    ("ratio", "losses", 80, 20, 90, 16)]:
    control, treatment = arm(shape, na, pa, ratio=kind == "ratio"), arm(shape, nb, pb, ratio=kind == "ratio")
    of = lambda u, letter: u[letter].astype(float) if letter in u else np.ones(len(u["x"]))
    for alpha in (0.05, 0.01):
        ends = [100 * alpha / 2, 100 - 100 * alpha / 2]
        r = normal_sample_weighted_difference(of(treatment, "x"), of(control, "x"), of(treatment, "y"), of(control, "y"), percentiles=ends)
        low, high = (r["c_i"][round(p, 5)] for p in ends)
        case(f"{kind} of {shape}, {na} and {nb} units, Student, alpha {alpha}", "expan normal_sample_weighted_difference", f"{{test: student, alpha: {alpha}}}",
             [row(control, kind, "control"), row(treatment, kind, "treatment")],
             absolute_effect=r["mean1"] - r["mean2"], absolute_low=low, absolute_high=high, p_value=r["p_value"])

# spotify-confidence


def spotify(arms, method, interval=0.95, correction="bonferroni", nim=None, direction=None, expected_size=None):
    """The differences of arms by name from the first one, which is the control."""
    frame = pd.DataFrame({
        "group": list(arms), "n": [len(u["x"]) for u in arms.values()], "sum": [sum_of(u, "x") for u in arms.values()],
        "sum_sq": [sum_of(u, "xx") for u in arms.values()], "method": method, "day": 1, "size": expected_size or 0,
    })
    e = Experiment(frame, "sum", "sum_sq", "n", "group", ordinal_group_column="day" if expected_size else None, interval_size=interval,
                   correction_method=correction, method_column="method", treatment_column="group", metric_column=None)
    return e.multiple_difference(
        level=next(iter(arms)), level_as_reference=True, absolute=True, groupby="day" if expected_size else None,
        final_expected_sample_size_column="size" if expected_size else None,
        non_inferiority_margins=(nim, direction) if direction else None,
    )


for shape, na, pa, nb, pb in [("counts", 40, 2.0, 55, 2.6), ("money", 900, 0.3, 1200, 0.36), ("losses", 300, 20, 280, 14), ("rate", 500, 0.2, 700, 0.26)]:
    arms = {"control": arm(shape, na, pa), "treatment": arm(shape, nb, pb)}
    kind = "proportion" if shape == "rate" else "mean"  # without n - 1 where values are 0 and 1
    rows = [row(u, kind, name) for name, u in arms.items()]
    what = f"{kind} of {shape}, {na} and {nb} units"
    for test, method in [("z", "z-test"), ("welch", "t-test")]:
        for interval in (0.95, 0.99):
            r = spotify(arms, method, interval).iloc[0]
            case(f"{what}, {method}, interval {interval}", f"spotify-confidence Experiment.multiple_difference, {method}",
                 f"{{test: {test}, alpha: {round(1 - interval, 2)}}}", rows, absolute_effect=r["difference"], absolute_low=r["ci_lower"],
                 absolute_high=r["ci_upper"], p_value=r["p-value"])
        for alternative, direction in [("greater", "increase"), ("less", "decrease")]:
            r = spotify(arms, method, direction=direction).iloc[0]
            case(f"{what}, {method}, {alternative}", f"spotify-confidence Experiment.multiple_difference, {method}, {direction}",
                 f"{{test: {test}, alternative: {alternative}}}", rows, absolute_low=r["ci_lower"], absolute_high=r["ci_upper"], p_value=r["p-value"])
    if kind == "proportion":
        r = spotify(arms, "chi-squared").iloc[0]
        case(f"{what}, chi-squared", "spotify-confidence Experiment.multiple_difference, chi-squared", "{test: pearson}", rows,
             absolute_effect=r["difference"], absolute_low=r["ci_lower"], absolute_high=r["ci_upper"], p_value=r["p-value"])
    # At the first look their boundary is exact.
    r = spotify(arms, "z-test", expected_size=4 * (na + nb)).iloc[0]
    case(f"{what}, first of four looks", "spotify-confidence Experiment.multiple_difference, sequential",
         "{test: z, peeking: {method: group, looks: 4, spending: power, power: 2}}", rows, [0.25], absolute_low=r["adjusted ci_lower"], absolute_high=r["adjusted ci_upper"])
    arms["unlike"] = arm(shape, nb, pa)  # their rows are in the order of names
    rows = [row(u, kind, name) for name, u in arms.items()]
    r = spotify(arms, "z-test").iloc[0]
    case(f"{what}, Bonferroni over two variations", "spotify-confidence Experiment.multiple_difference, bonferroni",
         "{test: z, correction: {method: bonferroni}}", rows, absolute_low_adjusted=r["adjusted ci_lower"], absolute_high_adjusted=r["adjusted ci_upper"],
         p_value_adjusted=r["adjusted p-value"])

# ambrosia

for shape, na, pa, nb, pb in [("counts", 40, 2.0, 55, 2.6), ("money", 900, 0.3, 1200, 0.36), ("losses", 300, 20, 280, 14)]:
    for covariate in (False, True):
        control, treatment = arm(shape, na, pa, covariate), arm(shape, nb, pb, covariate)
        a, b = control["x"].astype(float), treatment["x"].astype(float)
        if covariate:
            Cuped.__mro__[1].EPSILON = 0  # they add 1e-5 to the variance of the covariate
            frame = pd.DataFrame({"x": np.concatenate([a, b]), "p": np.concatenate([control["p"], treatment["p"]]).astype(float)})
            adjusted = Cuped(verbose=False).fit_transform(frame, "x", "p", "adjusted")["adjusted"].to_numpy()
            a, b = adjusted[:na], adjusted[na:]
        for alternative, word in [("two_sided", "two-sided"), ("greater", "greater"), ("less", "less")]:
            t = TtestIndCriterion()
            case(f"mean of {shape}{', adjusted' if covariate else ''}, {alternative}", "ambrosia TtestIndCriterion" + (" of Cuped" if covariate else ""),
                 f"{{{'cuped: {days: 14}, ' if covariate else ''}alternative: {alternative}}}", [row(control, "mean", "control"), row(treatment, "mean", "treatment")],
                 absolute_effect=t.calculate_effect(a, b), p_value=t.calculate_pvalue(a, b, alternative=word))

for xa, na, xb, nb in [(163, 3304, 223, 3329), (12, 40, 25, 45)]:
    rows = [
        {"metric": "m", "kind": "proportion", "variation": name, "baseline": name == "control", "units": n, "sum": x}
        for name, x, n in [("control", xa, na), ("treatment", xb, nb)]
    ]
    low, high = BinomTwoSampleCI.confidence_interval(xa, xb, na, nb, confidence_level=0.95, interval_type="wald")
    case(f"rates {xa}/{na} and {xb}/{nb}, Wald", "ambrosia BinomTwoSampleCI.confidence_interval, wald", "{test: z}", rows, absolute_low=low, absolute_high=high)

units, weights = {"a": 501_000, "b": 499_500, "c": 1_001_200}, {"a": 1, "b": 1, "c": 2}
rows = [
    {"metric": "m", "kind": "proportion", "variation": name, "baseline": name == "a", "units": n, "weight": weights[name], "sum": n // 10}
    for name, n in units.items()
]
cases.append({"name": f"sample ratio of {list(units.values())}", "call": "ambrosia check_srm_from_counts", "analysis": "{}", "rows": rows,
              "expected": {"sample_ratio": float(check_srm_from_counts(units, weights)["pvalue"])}})

about = {
    "about": "Written by engines.py; see there for how each value is computed.",
    "tools": {"python": sys.version.split()[0], **{p: version(p) for p in ("gbstats", "tea-tasting", "statsmodels", "expan", "spotify-confidence", "ambrosia", "scipy", "numpy")}},
}
print(json.dumps(about)[:-1] + ', "cases": [')
print(",\n".join(json.dumps(c) for c in cases))
print("]}")
