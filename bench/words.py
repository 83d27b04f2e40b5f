"""What figures and contestants are called where people read them."""

MEANING = {
    "first_load_vs_copy": "first load, of psql's speed",
    "unchanged_vs_copy": "the same again: nothing to do, of psql's speed with the rows",
    "rows_touched_unchanged": "rows that this writes",
    "wal_kb_per_10k_unchanged": "WAL of that, KB for 10,000 rows",
    "daily_10k_seconds": "10,000 tickers × 1 new session, seconds",
    "lookback_50k_seconds": "10,000 tickers × 5 sessions, 4 of them stored, seconds",
    "watermark_ms": "newest session of every ticker, ms",
    "prices_ms": "a ticker's ten years of adjusted closes, ms",
    "history_ms": "the same, all prices, volume and returns, ms",
    "recent_day_ms": "a day of the whole market, of the last quarter, ms",
    "old_day_ms": "a day of the whole market, years ago, ms",
    "macro_ms": "a macro series as it was known on a day, ms",
    "job_share_first_load": "database's share of a job's CPU, first load",
    "job_share_daily": "database's share of a job's CPU, daily run",
    "updater_peak_mb": "updater's memory, largest peak, MB",
    "updater_mb_per_1000_tickers": "what 1,000 more tickers add to it, MB",
    "updater_cgroup_peak_mb": "its cgroup of 512 MiB, MB",
}
NAMES = {
    "ours": "this store",
    "unchanged": "this store, nothing new",
    "psql": "psql \\copy",
    "to_sql": "pandas.to_sql",
    "execute_values": "execute_values",
    "sqlalchemy": "SQLAlchemy upsert",
    "adbc": "ADBC",
    "dlt": "dlt",
}
