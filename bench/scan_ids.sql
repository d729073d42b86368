-- The bare scan: nothing but reading the columns that hand_ids.sql needs.

-- statement: scan
CREATE OR REPLACE TEMP TABLE scanned AS
SELECT
  (SELECT COUNT(impression_id) + COUNT(user_id) + COUNT(experiment_key) + COUNT(variation) + COUNT(ts)
    FROM read_parquet('{data}/impressions/ds=*/*.parquet', hive_types = {'ds': DATE})) AS impressions,
  (SELECT COUNT(event_id) + COUNT(user_id) + COUNT(event_name) + COUNT(ts) + COUNT(amount) + COUNT(amount_cents) + COUNT(props)
    FROM read_parquet('{data}/events/ds=*/*.parquet', hive_types = {'ds': DATE})) AS events;
