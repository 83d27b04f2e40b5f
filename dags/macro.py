"""## US macro series

**Purpose.** Keeps every vintage of every FRED series in `tb_macro`: what was known, and when it was known.

**Schedule.** 08:00 Asia/Seoul, Monday to Saturday (23:00 UTC the day before): after a working day of the US agencies.

**Writes.** `tb_macro_vintage`, `tb_macro_revision` (what FRED has contradicted), and one row of `tb_job_run` an
attempt. Readers use the view `tb_macro_data` (the newest value of each date); nothing is ever deleted because FRED
stopped serving it.

**Triage.** As long as the newest run is successful, earlier failures can be ignored: a series is asked for everything
since its newest stored vintage. *throttled* means that FRED answered 429 or 403: wait. *FRED refuses FRED_API_KEY* is
not mended by waiting. A series that FRED does not know, or that has ended, is told once and is no failure.

**Backfill.** None is needed: a new series is loaded with all its vintages. `full_refresh` asks for all of them again,
`tickers` takes FRED ids. `dry_run` writes nothing.
"""

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.updater import updater_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = updater_dag(JOBS["macro"], doc_md=__doc__)
