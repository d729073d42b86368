"""Runs compiled SQL and reads result tables with DuckDB's own Python package.

usage: other_duckdb.py COMPILED.sql TABLES

The expected numbers are those that Optimizely published for its data (see NOTICE).
"""

import sys

import duckdb

UNITS = {"control": 3304, "message_1": 3367, "message_2": 3329}
PURCHASERS = {"control": 163, "message_1": 169, "message_2": 223}
REVENUE = {"control": 144998.37, "message_1": 149598.31, "message_2": 198997.77}


def run_compiled(path):
    """Executes the statements one by one and gives the rows of each SELECT."""
    results = []
    db = duckdb.connect()
    with open(path, encoding="utf-8") as file:
        for statement in duckdb.extract_statements(file.read()):
            cursor = db.execute(statement)
            if statement.type == duckdb.StatementType.SELECT:
                names = [column[0] for column in cursor.description]
                results.append([dict(zip(names, row)) for row in cursor.fetchall()])
    return results


def check_compiled(path):
    """The sums over everybody are the published ones."""
    sums = [rows for rows in run_compiled(path) if rows and "purchase_rate total" in rows[0]]
    everybody = [row for row in sums[0] if row["segment"] == "overall"]
    assert {row["variation"]: row["purchase_rate total"] for row in everybody} == PURCHASERS, sums


def check_tables(folder):
    """The table results says the same, through hive partitions."""
    results = duckdb.read_parquet(folder + "/results/**/*.parquet", hive_partitioning=True)
    rows = results.filter("segment = 'overall'").project("metric, variation, exposed, total").fetchall()
    for metric, want in (("purchase_rate", PURCHASERS), ("electronics_revenue", REVENUE)):
        assert {v: t for m, v, _, t in rows if m == metric} == want, rows
    assert {v: e for _, v, e, _ in rows} == UNITS, rows
    runs = duckdb.read_parquet(folder + "/runs/**/*.parquet")
    joined = duckdb.sql("SELECT count(*) FROM results JOIN runs USING (run_id)").fetchone()[0]
    assert joined == len(results.fetchall()), joined


check_compiled(sys.argv[1])
check_tables(sys.argv[2])
