"""The lake: what is stored, as Parquet files that DuckDB, Spark or pandas read without a database (docs/lake.md)."""
