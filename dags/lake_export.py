"""## Lake export

**Purpose.** Keeps a copy of what is stored as Parquet, in a bucket or a folder, for whoever reads it without the
database: prices, splits and dividends, what adjusted prices are multiplied by, macro vintages, definitions.

**Schedule.** Whenever prices or macro series came (the assets `us_prices`, `kr_prices`, `us_macro`). Without
`INSIGHT_LAKE_URL` a run is skipped, and says so.

**Writes.** Below `INSIGHT_LAKE_URL`, as `dataset/key=value/part-0.parquet`, only files whose rows have changed, each in
one step; last `manifest.json`. In the database nothing.

**Triage.** Run it again: what was written is whole, and the rest is written then. *cannot write … into the lake* is the
bucket's or the folder's refusal, with its reason: look at the task's role, or the disk. A file that somebody deleted or
cut comes back with the next run; to write everything anew, delete `manifest.json`.

**Backfill.** None: the lake is brought to what is stored now, whichever days that changed.
"""

from include.insight_invest.orchestration.lake import lake_export_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = lake_export_dag(doc_md=__doc__)
