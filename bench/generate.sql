-- A synthetic export: what a web shop's flag service and event collector would
-- leave behind. Every value is a function of hash(row, seed): the same size and
-- seed give the same rows, whatever the threads. The program cuts this file at
-- the lines "-- statement:" and replaces the words in braces.

-- statement: impressions
-- Who saw what: {users} users, six flags of which metrics.yaml knows four. A
-- user meets a flag with its share and comes back up to four times; one user in
-- a hundred sees a second variation on the way.
CREATE OR REPLACE TEMP TABLE impression AS
WITH flag(flag_no, flag_key, experiment_key, share, first_day, days, variations) AS (
  VALUES
    (1, 'checkout_button', 'exp_checkout_button', 60, 0, 28, ['control', 'green']),
    (2, 'search_ranking',  'exp_search_ranking',  50, 3, 14, ['control', 'neural']),
    (3, 'price_layout',    'exp_price_layout',    40, 7, 21, ['a', 'b', 'c']),
    (4, 'welcome_tour',    'exp_welcome_tour',    30, 10, 18, ['off', 'on']),
    (5, 'dark_mode',       'exp_dark_mode',       20, 0, 28, ['off', 'on']),
    (6, 'footer_links',    'exp_footer_links',    15, 5, 20, ['off', 'on'])
), met AS (
  SELECT user_no, flag.*, hash(user_no, flag_no, {seed}) AS h
  FROM range({users}) AS users(user_no) CROSS JOIN flag
  WHERE hash(user_no, flag_no, {seed} + 1) % 100 < share
), visit AS (
  SELECT met.*, visit_no, hash(user_no, flag_no, visit_no, {seed} + 2) AS v
  FROM met CROSS JOIN range(5) AS visits(visit_no)
  WHERE visit_no = 0 OR visit_no <= (h >> 8) % 5
)
SELECT
  user_no, flag_no, visit_no, flag_key, experiment_key,
  first_day + CAST((h >> 16) % days AS INTEGER) + CAST(visit_no * ((h >> 32) % 4) AS INTEGER) AS day,
  CAST(v % 86400000000 AS BIGINT) AS us,
  variations[1 + CAST(((h >> 40) % 1000
    + CASE WHEN h % 100 = 0 AND visit_no % 2 = 1 THEN 1 ELSE 0 END) % len(variations) AS INTEGER)] AS variation
FROM visit
WHERE first_day + (h >> 16) % days + visit_no * ((h >> 32) % 4) < {days};

-- statement: impressions of a day
-- One row in two hundred was delivered twice; the second copy may say another
-- time of the same date.
COPY (
  WITH delivered AS (
    SELECT impression.*, 0 AS copy FROM impression WHERE day = {day}
    UNION ALL
    SELECT impression.*, 1 FROM impression
    WHERE day = {day} AND hash(user_no, flag_no, visit_no, {seed} + 3) % 200 = 0
  )
  SELECT
    md5(concat_ws('/', 'impression', user_no, flag_no, visit_no, {seed})) AS impression_id,
    concat('user_', lpad(CAST(user_no AS VARCHAR), 8, '0')) AS user_id,
    flag_key, experiment_key, variation,
    CASE hash(user_no, {seed} + 4) % 8 WHEN 0 THEN NULL WHEN 1 THEN 'DE' WHEN 2 THEN 'FR' WHEN 3 THEN 'BR' ELSE 'US' END AS country,
    CASE hash(user_no, visit_no, {seed} + 5) % 4 WHEN 0 THEN 'ios' WHEN 1 THEN 'android' ELSE 'web' END AS platform,
    make_timestamp(epoch_us(DATE '{date}') + CASE WHEN copy = 1 THEN greatest(us - 3000000, 0) ELSE us END) AS ts
  FROM delivered
  ORDER BY us, user_no, flag_no, visit_no, copy
) TO '{file}' (FORMAT parquet, COMPRESSION zstd);

-- statement: numbers
-- A table, because DuckDB works on tables with all threads and on range() with one.
CREATE OR REPLACE TEMP TABLE number AS SELECT n FROM range({rows}) AS numbers(n);

-- statement: events of a part
-- Rows {from} to {to} of all {events}, a part of one day, and the second copies
-- of one in two hundred of the rows {copies_from} to {copies_to}, which lie in
-- another part of the day. Users are skewed: the first of a hundred have ten
-- rows in a hundred. A second copy may say another time, amount or load time.
COPY (
  WITH delivered AS (
    SELECT {from} + n AS i, 0 AS copy FROM number WHERE n < {to} - {from}
    UNION ALL
    SELECT {copies_from} + n, 1 FROM number
    WHERE n < {copies_to} - {copies_from} AND hash({copies_from} + n, {seed} + 10) % 200 = 0
  ), drawn AS (
    SELECT i, copy, hash(i, {seed} + 11) AS h, hash(i, {seed} + 12) AS g, hash(i, {seed} + 13) % 1000 AS kind,
      (hash(i, {seed} + 14) >> 11) / 9007199254740992e0 AS r
    FROM delivered
  ), event AS (
    SELECT *,
      concat('user_', lpad(CAST(CAST(floor(r * r * {users}) AS BIGINT) AS VARCHAR), 8, '0')) AS user_id,
      CASE
        WHEN kind < 580 THEN 'page_view'
        WHEN kind < 720 THEN 'click'
        WHEN kind < 810 THEN 'search'
        WHEN kind < 870 THEN 'add_to_cart'
        WHEN kind < 910 THEN 'login'
        WHEN kind < 945 THEN 'video_play'
        WHEN kind < 970 THEN 'purchase'
        WHEN kind < 990 THEN 'checkout'
        WHEN kind < 997 THEN 'signup'
        ELSE 'refund'
      END AS event_name,
      500 + CAST(h % 20000 AS INTEGER) AS price_cents,
      1 + CAST((h >> 20) % 4 AS INTEGER) AS quantity,
      ['electronics', 'toys', 'books', 'garden', 'fashion'][1 + CAST((h >> 32) % 5 AS INTEGER)] AS category,
      lower(hex(hash(i // 8, {seed} + 15))) AS session
    FROM drawn
  ), priced AS (
    SELECT *, price_cents * quantity AS amount_cents, CAST(CAST(price_cents / 100e0 AS DECIMAL(9, 2)) AS VARCHAR) AS price
    FROM event
  )
  SELECT
    md5(concat_ws('/', 'event', i, {seed})) AS event_id,
    user_id,
    event_name,
    -- the rows of a day are spread over it in order, a second copy is some seconds later
    make_timestamp(epoch_us(DATE '{date}') + least(
      CAST((i - {day_from}) * 86400e6 / ({day_to} - {day_from}) AS BIGINT) + CASE WHEN copy = 1 THEN CAST(g % 5000000 AS BIGINT) ELSE 0 END,
      86399999999)) AS ts,
    CASE
      WHEN event_name IN ('purchase', 'refund') THEN CASE WHEN copy = 1 AND g % 10 = 0 THEN 1 ELSE amount_cents END / 100e0
      WHEN event_name = 'page_view' THEN (200 + g % 30000 - copy) / 10e0
    END AS amount,
    CASE WHEN event_name IN ('purchase', 'refund') THEN amount_cents END AS amount_cents,
    map(
      CASE
        WHEN event_name = 'page_view' THEN ['path', 'session']
        WHEN event_name = 'search' THEN ['results', 'session']
        WHEN event_name NOT IN ('purchase', 'add_to_cart', 'refund') THEN ['session']
        WHEN event_name = 'purchase' AND g % 100 < 20 THEN ['category', 'price', 'quantity', 'session', 'coupon']
        ELSE ['category', 'price', 'quantity', 'session']
      END,
      CASE
        WHEN event_name = 'page_view' THEN [concat('/p/', g % 5000), session]
        WHEN event_name = 'search' THEN [CAST(g % 40 AS VARCHAR), session]
        WHEN event_name NOT IN ('purchase', 'add_to_cart', 'refund') THEN [session]
        WHEN event_name = 'purchase' AND g % 100 < 20 THEN [category, price, CAST(quantity AS VARCHAR), session, concat('SAVE', g % 7)]
        ELSE [category, price, CAST(quantity AS VARCHAR), session]
      END) AS props
  FROM priced
) TO '{file}' (FORMAT parquet, COMPRESSION zstd);
