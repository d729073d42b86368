-- What a very good engineer would write by hand for the sixteen metrics of
-- metrics.yaml: one pass over the impressions, one over the events, exact sums.
-- She knows the data: amounts are never missing where a metric reads them, and
-- no sum comes near the bounds of its type.

-- statement: exposure
CREATE OR REPLACE TEMP TABLE exposure AS
WITH experiment(experiment_key, started, ended, observed) AS (
  VALUES
    ('exp_checkout_button', TIMESTAMP '2026-03-02', TIMESTAMP '2026-03-30', TIMESTAMP '2026-03-30'),
    ('exp_search_ranking',  TIMESTAMP '2026-03-05', TIMESTAMP '2026-03-19', TIMESTAMP '2026-03-19'),
    ('exp_price_layout',    TIMESTAMP '2026-03-09', TIMESTAMP '2026-03-30', TIMESTAMP '2026-03-30'),
    ('exp_welcome_tour',    TIMESTAMP '2026-03-12', TIMESTAMP '2026-03-30', TIMESTAMP '2026-03-30')
)
SELECT
  i.user_id,
  i.experiment_key AS experiment,
  MIN(i.variation) AS variation,
  MIN(i.ts) AS t0,
  MIN(i.ts) + INTERVAL 72 HOUR AS t72,
  MIN(i.ts) + INTERVAL 24 HOUR AS t24,
  ANY_VALUE(x.observed) AS t_end,
  LEAST(GREATEST(ANY_VALUE(x.observed), MIN(i.ts) + INTERVAL 72 HOUR), TIMESTAMP '2026-03-30') AS t_last
FROM read_parquet('{data}/impressions/ds=*/*.parquet', hive_types = {'ds': DATE}) AS i
JOIN experiment AS x ON x.experiment_key = i.experiment_key
WHERE i.ts >= x.started AND i.ts < x.ended
GROUP BY i.user_id, i.experiment_key
HAVING MIN(i.variation) = MAX(i.variation);

-- statement: unit
CREATE OR REPLACE TEMP TABLE unit AS
SELECT
  x.rowid AS unit,
  COUNT(CASE WHEN e.event_name = 'purchase' AND e.ts < t_end THEN 1 END) AS purchases,
  SUM(CASE WHEN e.event_name = 'purchase' AND e.ts < t_end THEN CAST(round(e.amount * 1e2) AS BIGINT) END) AS revenue,
  COUNT(CASE WHEN e.event_name = 'purchase' AND e.ts < t72 THEN 1 END) AS purchases_72h,
  SUM(CASE WHEN e.event_name = 'purchase' AND e.ts < t72 THEN e.amount_cents END) AS revenue_72h,
  SUM(CASE WHEN e.event_name = 'purchase' AND e.ts < t_end THEN CAST(e.props['quantity'] AS INTEGER) END) AS items,
  COUNT(CASE WHEN e.event_name = 'purchase' AND e.ts < t72 AND e.props['category'] = 'electronics' AND e.props['coupon'] IS NULL THEN 1 END) AS electronics_72h,
  SUM(CASE WHEN e.event_name = 'purchase' AND e.ts < t72 AND e.props['category'] = 'electronics' AND e.props['coupon'] IS NULL
    THEN CAST(round(CAST(e.props['price'] AS DOUBLE) * CAST(e.props['quantity'] AS DOUBLE) * 1e2) AS BIGINT) END) AS electronics_revenue_72h,
  COUNT(CASE WHEN e.event_name = 'purchase' AND e.ts < t_end AND e.props['coupon'] IS NOT NULL THEN 1 END) AS coupons,
  COUNT(CASE WHEN e.event_name = 'page_view' AND e.ts < t_end THEN 1 END) AS views,
  COUNT(CASE WHEN e.event_name = 'page_view' AND e.ts < t72 THEN 1 END) AS views_72h,
  SUM(CASE WHEN e.event_name = 'page_view' AND e.ts < t_end THEN CAST(round(e.amount * 1e3) AS BIGINT) END) AS load_time,
  COUNT(CASE WHEN e.event_name = 'add_to_cart' AND e.ts < t24 THEN 1 END) AS carts_24h,
  COUNT(CASE WHEN e.event_name = 'add_to_cart' AND e.ts < t_end THEN 1 END) AS carts,
  SUM(CASE WHEN e.event_name = 'add_to_cart' AND e.ts < t_end
    THEN CAST(round(CAST(e.props['price'] AS DOUBLE) * CAST(e.props['quantity'] AS DOUBLE) * 1e2) AS BIGINT) END) AS cart_value,
  COUNT(CASE WHEN e.event_name = 'refund' AND e.ts < t_end THEN 1 END) AS refunds,
  COUNT(CASE WHEN e.event_name = 'click' AND e.ts < t_end THEN 1 END) AS clicks
FROM read_parquet('{data}/events/ds=*/*.parquet', hive_types = {'ds': DATE}) AS e
JOIN exposure AS x ON x.user_id = e.user_id AND e.ts >= x.t0 AND e.ts < x.t_last
WHERE e.event_name IN ('purchase', 'page_view', 'add_to_cart', 'refund', 'click')
GROUP BY x.rowid;

-- statement: sums
CREATE OR REPLACE TEMP TABLE sums AS
WITH exposed AS (
  SELECT experiment, variation, COUNT(*) AS exposed FROM exposure GROUP BY experiment, variation
), value AS (
  SELECT unit, purchases, CAST(revenue AS BIGINT) AS revenue, purchases_72h, CAST(revenue_72h AS BIGINT) AS revenue_72h,
    CAST(items AS BIGINT) AS items, electronics_72h, CAST(electronics_revenue_72h AS BIGINT) AS electronics_revenue_72h,
    coupons, views, views_72h, CAST(load_time AS BIGINT) AS load_time, carts_24h, carts, CAST(cart_value AS BIGINT) AS cart_value,
    refunds, clicks,
    -- averages, rounded half away from zero; quantities to six digits, milliseconds to three
    CASE WHEN purchases > 0 THEN CAST((2000000 * items + purchases) // (2 * purchases) AS BIGINT) END AS average_quantity,
    CASE WHEN views > 0 THEN CAST((2 * load_time + views) // (2 * views) AS BIGINT) END AS page_load_time
  FROM unit
)
SELECT
  x.experiment, x.variation, ANY_VALUE(g.exposed) AS exposed,
  COUNT(CASE WHEN purchases > 0 THEN 1 END) AS buyers,
  SUM(purchases) AS purchases, SUM(purchases * purchases) AS purchases_sq,
  SUM(revenue) AS revenue, SUM(revenue * revenue) AS revenue_sq, SUM(revenue * purchases) AS revenue_purchases,
  COUNT(CASE WHEN purchases_72h > 0 THEN 1 END) AS buyers_72h, SUM(purchases_72h) AS purchases_72h,
  SUM(revenue_72h) AS revenue_72h, SUM(revenue_72h * revenue_72h) AS revenue_72h_sq,
  SUM(items) AS items, SUM(items * items) AS items_sq,
  SUM(average_quantity) AS average_quantity, SUM(average_quantity * average_quantity) AS average_quantity_sq,
  COUNT(CASE WHEN electronics_72h > 0 THEN 1 END) AS electronics_buyers_72h, SUM(electronics_72h) AS electronics_72h,
  SUM(electronics_revenue_72h) AS electronics_revenue_72h, SUM(electronics_revenue_72h * electronics_revenue_72h) AS electronics_revenue_72h_sq,
  COUNT(CASE WHEN coupons > 0 THEN 1 END) AS coupon_buyers, SUM(coupons) AS coupons, SUM(coupons * coupons) AS coupons_sq,
  COUNT(CASE WHEN views > 0 THEN 1 END) AS viewers, SUM(views) AS views, SUM(views * views) AS views_sq,
  COUNT(CASE WHEN views_72h > 0 THEN 1 END) AS viewers_72h, SUM(views_72h) AS views_72h, SUM(views_72h * views_72h) AS views_72h_sq,
  SUM(page_load_time) AS page_load_time, SUM(page_load_time * page_load_time) AS page_load_time_sq,
  COUNT(CASE WHEN carts_24h > 0 THEN 1 END) AS carters_24h, SUM(carts_24h) AS carts_24h,
  COUNT(CASE WHEN carts > 0 THEN 1 END) AS carters, SUM(carts) AS carts,
  SUM(cart_value) AS cart_value, SUM(cart_value * cart_value) AS cart_value_sq,
  COUNT(CASE WHEN refunds > 0 THEN 1 END) AS refunders, SUM(refunds) AS refunds, SUM(refunds * refunds) AS refunds_sq,
  SUM(refunds * purchases) AS refunds_purchases,
  COUNT(CASE WHEN clicks > 0 THEN 1 END) AS clickers, SUM(clicks) AS clicks, SUM(clicks * clicks) AS clicks_sq,
  SUM(clicks * views) AS clicks_views
FROM value JOIN exposure AS x ON x.rowid = value.unit
JOIN exposed AS g ON g.experiment = x.experiment AND g.variation = x.variation
GROUP BY x.experiment, x.variation;

-- statement: moments
-- The same numbers, a row for each metric, in the words of the table moments.
-- Sums are whole numbers of 10^-digits.
CREATE OR REPLACE TEMP TABLE moments AS
SELECT s.experiment, s.variation, m.*, s.exposed
FROM sums AS s CROSS JOIN LATERAL (VALUES
  ('purchase_rate', 0, s.exposed, buyers, purchases, CAST(buyers AS HUGEINT), CAST(buyers AS HUGEINT), CAST(NULL AS HUGEINT), CAST(NULL AS HUGEINT), CAST(NULL AS HUGEINT)),
  ('purchases', 0, s.exposed, buyers, purchases, purchases, purchases_sq, NULL, NULL, NULL),
  ('revenue', 2, s.exposed, buyers, purchases, revenue, revenue_sq, NULL, NULL, NULL),
  ('revenue_72h', 0, s.exposed, buyers_72h, purchases_72h, revenue_72h, revenue_72h_sq, NULL, NULL, NULL),
  ('items', 0, s.exposed, buyers, purchases, items, items_sq, NULL, NULL, NULL),
  ('average_quantity', 6, buyers, buyers, purchases, average_quantity, average_quantity_sq, NULL, NULL, NULL),
  ('electronics_revenue_72h', 2, s.exposed, electronics_buyers_72h, electronics_72h, electronics_revenue_72h, electronics_revenue_72h_sq, NULL, NULL, NULL),
  ('coupon_purchases', 0, s.exposed, coupon_buyers, coupons, coupons, coupons_sq, NULL, NULL, NULL),
  ('page_views', 0, s.exposed, viewers, views, views, views_sq, NULL, NULL, NULL),
  ('page_views_72h', 0, s.exposed, viewers_72h, views_72h, views_72h, views_72h_sq, NULL, NULL, NULL),
  ('page_load_time', 3, viewers, viewers, views, page_load_time, page_load_time_sq, NULL, NULL, NULL),
  ('cart_rate_24h', 0, s.exposed, carters_24h, carts_24h, carters_24h, carters_24h, NULL, NULL, NULL),
  ('cart_value', 2, s.exposed, carters, carts, cart_value, cart_value_sq, NULL, NULL, NULL),
  ('average_order_value', 2, s.exposed, buyers, purchases, revenue, revenue_sq, purchases, purchases_sq, revenue_purchases),
  ('refunds_per_purchase', 0, s.exposed, refunders, refunds, refunds, refunds_sq, purchases, purchases_sq, refunds_purchases),
  ('clicks_per_page_view', 0, s.exposed, clickers, clicks, clicks, clicks_sq, views, views_sq, clicks_views)
) AS m(metric, digits, units, units_with_event, events, sum, sum_sq, den_sum, den_sum_sq, sum_den);
