"""## Korean stock prices

**Purpose.** Keeps the daily bars of the whole Korean market (KOSPI, KOSDAQ, KONEX) up to the last session of Seoul.

**Schedule.** 06:00 Asia/Seoul, Tuesday to Saturday (21:00 UTC): the session of the day before, from the listing that
KRX settles in the evening.

**Writes.** `tb_meta` (newly listed shares, market caps), `tb_bar`, `tb_bar_revision`, `tb_action` (splits, found in the
base prices and measured on Naver's history), `tb_quarantine`, `tb_gap`, and one row of `tb_job_run` an attempt. Readers
use the view `tb_price`.

**Triage.** As long as the newest run is successful, earlier failures can be ignored: the last seven sessions, and up to
ten that were missed, are read again from the listing's cache. When the listing is down or stale the run says so and
asks Yahoo (`.KS`, `.KQ`); those bars carry `source = 'yahoo'` until KRX's replace them. *refused* means that the
listing lacked a part of the market, and nothing of it was taken. A failed run kept every batch it had committed; run it
again. A session without a bar from anybody is noted as a suspected closure: confirm or refuse it by
`sessions close|open`.

**Backfill.** `airflow backfill create --from-date` the first session `--to-date` one day after the last one (the dates
are midnights in UTC, and the run of 21:00 UTC loads the day's session) reads the listings of its days; with `start` and
`end` (and `tickers`) Naver is asked, one request a ticker. `full_refresh` asks Naver for every ticker's whole history:
once, after the installation, is enough. What was interrupted goes on where it stopped. `dry_run` writes nothing.
"""

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.updater import updater_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = updater_dag(JOBS["kr-price"], doc_md=__doc__)
