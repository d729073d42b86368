#!/usr/bin/env python3
"""Computes e3.json: the exact sums of three metrics of experiment 18786493712
of Optimizely's public E3 example data, from the Parquet files of that data.

An event counts for a visitor whose decision lies at or before it, within 48
hours. The sums are whole-number sums by DuckDB over HUGEINT.

    pip install duckdb==1.5.5
    python3 e3.py FOLDER > e3.json      # FOLDER holds type=decisions, type=events
"""

import json
import sys

import duckdb

folder = sys.argv[1]
db = duckdb.connect()
db.execute(f"""
CREATE VIEW exposures AS
SELECT visitor_id AS unit, variation_id AS variation, min(timestamp) AS ts
FROM read_parquet('{folder}/type=decisions/**/*.parquet') WHERE NOT is_holdback GROUP BY ALL""")
db.execute(f"""
CREATE VIEW matched AS
SELECT x.unit, x.variation, e.event_name, e.revenue, e.tags
FROM exposures x JOIN read_parquet('{folder}/type=events/**/*.parquet', union_by_name = true) e
  ON e.visitor_id = x.unit AND e.timestamp >= x.ts AND e.timestamp < x.ts + INTERVAL 48 HOUR""")
metrics = {
    "purchase": "max(CASE WHEN event_name = 'purchase' THEN 1 ELSE 0 END)",
    "detail_page_views": "count(CASE WHEN event_name = 'detail_page_view' THEN 1 END)",
    "electronics_revenue_cents": "sum(CASE WHEN event_name = 'purchase' AND tags['category'] = 'electronics' THEN revenue ELSE 0 END)",
}
out = {}
for name, per_unit in metrics.items():
    rows = db.execute(f"""
    SELECT x.variation, count(*), sum(coalesce(v, 0)::HUGEINT), sum(coalesce(v, 0)::HUGEINT * coalesce(v, 0)::HUGEINT)
    FROM exposures x LEFT JOIN (SELECT unit, {per_unit} AS v FROM matched GROUP BY unit) USING (unit)
    GROUP BY 1 ORDER BY 1""").fetchall()
    out[name] = {v: {"units": n, "sums": {"x": str(int(s)), "xx": str(int(ss))}} for v, n, s, ss in rows}
json.dump({
    "about": "Written by e3.py from Optimizely's public E3 example data, experiment 18786493712.",
    "tools": {"duckdb": duckdb.__version__},
    "metrics": out,
}, sys.stdout, indent=1)
print()
