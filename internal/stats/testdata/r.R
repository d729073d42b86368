#!/usr/bin/env Rscript
# Computes r.json: what R's own tests make of units whose sums are kept.
#
#     apt-get install r-base-core=4.2.2.20221110-2 r-cran-mvtnorm=1.1-3-1
#     Rscript r.R > r.json

library(mvtnorm)
set.seed(20261121, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
options(warn = 1)

# JSON, with numbers as text of all their digits

text <- function(v) if (is.infinite(v)) "null" else sprintf('"%.17g"', v)
fields <- function(...) {
  l <- list(...)
  paste0("{", paste(sprintf('"%s": %s', names(l), unlist(l)), collapse = ", "), "}")
}
array <- function(items) paste0("[\n  ", paste(items, collapse = ",\n  "), "\n ]")
quoted <- function(s) sprintf('"%s"', s)
numbers <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")

arm <- function(x, y = NULL, p = NULL) {
  whole <- function(v) sprintf('"%.0f"', sum(v))
  sums <- list(x = whole(x), xx = whole(x * x))
  if (!is.null(y)) sums <- c(sums, y = whole(y), yy = whole(y * y), xy = whole(x * y))
  if (!is.null(p)) sums <- c(sums, p = whole(p), pp = whole(p * p), xp = whole(x * p))
  fields(units = length(x), sums = do.call(fields, sums))
}

words <- c(two_sided = "two.sided", greater = "greater", less = "less")

# Means

shapes <- list(
  zero_one = function(n) rbinom(n, 1, 0.1), counts = function(n) rpois(n, 3), money = function(n) round(rlnorm(n, 6, 1.5)),
  losses = function(n) -rpois(n, 20), large = function(n) 1e6 + round(rnorm(n, 0, 1e3))
)
comparisons <- c(); margins <- c(); adjustments <- c()
for (shape in names(shapes)) for (n in list(c(2, 3), c(9, 30), c(400, 300))) {
  a <- shapes[[shape]](n[1]); b <- shapes[[shape]](n[2])
  if (var(a) + var(b) == 0) next
  for (alternative in names(words)) for (equal in c(FALSE, TRUE)) {
    r <- t.test(b, a, alternative = words[alternative], var.equal = equal, conf.level = 0.95)
    test <- if (equal) "student" else "welch"
    comparisons <- c(comparisons, fields(
      name = quoted(sprintf("%s %d:%d %s %s", shape, n[1], n[2], test, alternative)), call = quoted("t.test"), kind = quoted("mean"),
      test = quoted(test), alternative = quoted(alternative), baseline = arm(a), variation = arm(b),
      effect = fields(absolute_low = text(r$conf.int[1]), absolute_high = text(r$conf.int[2]), p_value = text(r$p.value))
    ))
  }
  # The variation may be less by a margin, or more where less is better.
  margin <- round(abs(mean(a)) / 10) + 1
  for (better in c("higher", "lower")) {
    sign <- if (better == "higher") -1 else 1
    r <- t.test(b, a, alternative = if (sign < 0) "greater" else "less", mu = sign * margin)
    margins <- c(margins, fields(
      name = quoted(sprintf("%s %d:%d %s", shape, n[1], n[2], better)), call = quoted("t.test with mu"), better = quoted(better),
      margin = quoted(margin), baseline = arm(a), variation = arm(b), p_value = text(r$p.value),
      bound = text(if (sign < 0) r$conf.int[1] else r$conf.int[2])
    ))
  }
}

# Covariates: each unit's value less what regression on the covariate explains

for (n in list(c(12, 15), c(300, 500))) {
  p <- rpois(sum(n), 20); x <- p + rpois(sum(n), 5); of <- rep(1:2, n)
  theta <- cov(x, p) / var(p)
  stopifnot(all.equal(theta, unname(coef(lm(x ~ p))[2])))
  adjusted <- x - theta * (p - mean(p))
  r <- t.test(adjusted[of == 2], adjusted[of == 1])
  adjustments <- c(adjustments, fields(
    name = quoted(sprintf("%d:%d", n[1], n[2])), call = quoted("lm, t.test"), baseline = arm(x[of == 1], p = p[of == 1]),
    variation = arm(x[of == 2], p = p[of == 2]),
    effect = fields(absolute = text(r$estimate[1] - r$estimate[2]), absolute_low = text(r$conf.int[1]), absolute_high = text(r$conf.int[2]), p_value = text(r$p.value))
  ))
}

# Counts

counts <- c()
for (t in list(c(7, 12, 2, 10), c(3, 40, 11, 35), c(163, 3304, 223, 3329), c(0, 20, 5, 25), c(500, 9000, 620, 9500))) {
  m <- rbind(c(t[3], t[4] - t[3]), c(t[1], t[2] - t[1]))
  for (alternative in names(words)) {
    counts <- c(counts, fields(
      call = quoted("fisher.test, prop.test(correct = FALSE)"), baseline = numbers(t[1:2]), variation = numbers(t[3:4]), alternative = quoted(alternative),
      fisher = text(fisher.test(m, alternative = words[alternative])$p.value),
      pearson = text(suppressWarnings(prop.test(t[c(3, 1)], t[c(4, 2)], alternative = words[alternative], correct = FALSE)$p.value))
    ))
  }
}

# Sample ratios

ratios <- c()
for (s in list(list(c(53, 47), c(1, 1)), list(c(7012, 2988), c(7, 3)), list(c(400000, 401999), c(1, 1)))) {
  ratios <- c(ratios, fields(
    call = quoted("binom.test"), units = numbers(s[[1]]), weights = numbers(s[[2]]),
    p_value = text(binom.test(s[[1]][1], sum(s[[1]]), s[[2]][1] / sum(s[[2]]))$p.value)
  ))
}
for (s in list(list(c(501000, 499500), c(1, 1)), list(c(5e8, 5e8 + 40000), c(1, 1)), list(c(100200, 99800, 201000), c(1, 1, 2)), list(c(2000, 2100, 1950, 2050), rep(1, 4)))) {
  ratios <- c(ratios, fields(
    call = quoted("chisq.test(p =)"), units = numbers(s[[1]]), weights = numbers(s[[2]]), p_value = text(chisq.test(s[[1]], p = s[[2]] / sum(s[[2]]))$p.value)
  ))
}

# Several comparisons

corrections <- c()
for (p in list(c(0.01, 0.02, 0.03), runif(12)^3, c(0.04, 0.04, 0.04, 1, 0, 1e-300), 0.5)) for (m in c("bonferroni", "holm", "hochberg", "hommel", "BH", "BY")) {
  name <- c(BH = "benjamini_hochberg", BY = "benjamini_yekutieli")[m]
  corrections <- c(corrections, fields(
    call = quoted(sprintf("p.adjust method %s", m)), method = quoted(if (is.na(name)) m else name), p = numbers(p), adjusted = numbers(p.adjust(p, m))
  ))
}

# Power

powers <- c()
for (d in list(list(20, 0.5, 1), list(200, 0.3, 1.5), list(5, 2, 1), list(50000, 0.02, 1))) for (sides in c("two.sided", "one.sided")) {
  r <- power.t.test(n = d[[1]], delta = d[[2]], sd = d[[3]], alternative = sides, strict = TRUE)
  found <- power.t.test(delta = d[[2]], sd = d[[3]], power = 0.8, alternative = sides, strict = TRUE, tol = 1e-12)$n
  powers <- c(powers, fields(
    call = quoted("power.t.test, strict"), units = sprintf("%d", 2 * d[[1]]), effect = sprintf("%.17g", d[[2]]), std_dev = sprintf("%.17g", d[[3]]),
    alternative = quoted(if (sides == "two.sided") "two_sided" else "greater"), power = text(r$power), units_for_80 = text(2 * found)
  ))
}

# Group-sequential boundaries, by Miwa's integration over the multivariate normal

spent <- function(spending, k, alpha, t) switch(spending,
  obrien_fleming = 2 - 2 * pnorm(qnorm(1 - alpha / 2) / sqrt(t)), pocock = alpha * log(1 + (exp(1) - 1) * t), power = alpha * t^k)
boundaries <- c()
for (d in list(list("obrien_fleming", 0, c(0.25, 0.5, 0.75, 1)), list("pocock", 0, c(0.3, 0.6, 1)), list("power", 3, c(0.2, 0.7, 1)))) for (sides in c("two_sided", "greater")) {
  side <- if (sides == "two_sided") 0.025 else 0.05
  found <- c()
  for (i in seq_along(d[[3]])) {
    t <- d[[3]][1:i]
    corr <- outer(t, t, function(u, v) sqrt(pmin(u, v) / pmax(u, v)))
    total <- spent(d[[1]], d[[2]], side, t[i]) * (if (sides == "two_sided") 2 else 1)
    inside <- function(z) {
      upper <- c(found, z)
      lower <- if (sides == "two_sided") -upper else rep(-Inf, i)
      if (i == 1) return(pnorm(upper) - pnorm(lower))
      as.numeric(pmvnorm(lower, upper, corr = corr, algorithm = Miwa(steps = 1024)))
    }
    found <- c(found, uniroot(function(z) 1 - inside(z) - total, c(0, 8), tol = 1e-11)$root)
  }
  boundaries <- c(boundaries, fields(call = quoted("mvtnorm pmvnorm, Miwa"), spending = quoted(d[[1]]), exponent = d[[2]], alternative = quoted(sides),
    shares = numbers(d[[3]]), boundaries = numbers(found)))
}

cat(sprintf('{\n "about": "Written by r.R; see there for how each value is computed.",\n "tools": {"R": "%s", "mvtnorm": "%s"},\n', getRversion(), packageVersion("mvtnorm")))
sections <- list(comparisons = comparisons, margins = margins, adjustments = adjustments, counts = counts, sample_ratios = ratios, corrections = corrections,
  powers = powers, boundaries = boundaries)
cat(paste(sprintf(' "%s": %s', names(sections), sapply(sections, array)), collapse = ",\n"))
cat("\n}\n")
