"""## US stock prices

**Purpose.** Keeps the daily bars, dividends and splits of every US ticker in `tb_meta` up to the last session of New
York.

**Schedule.** 18:00 Asia/Seoul, Tuesday to Saturday (09:00 UTC): the session of the New York day before, half a day
after its close.

**Writes.** `tb_bar`, `tb_bar_revision`, `tb_action`, `tb_quarantine`, and one row of `tb_job_run` an attempt. Readers
use the view `tb_price`.

**Triage.** As long as the newest run is successful, earlier failures can be ignored: each run reads from the seven
sessions before a ticker's newest stored one. A failed run kept every batch it had committed; run it again. *over
budget* means that more than 2 % of the tickers failed: the ledger's row names each with its reason. *throttled* means
that Yahoo answered 429: wait an hour. Where Yahoo does not serve a ticker, the exchanges' listings give the close of
the day: such a bar carries `source = 'nasdaq'` until Yahoo's replaces it. *refused* means that an answer could not be
right (half of it missing, or a copy of the day before) and nothing of it was loaded: run again when Yahoo is whole. A
configuration error is not retried; its message says what is missing.

**Backfill.** `airflow backfill create --from-date` the first session `--to-date` two days after the last one (the dates
are midnights in UTC, and the run of the next day loads a session), or trigger the Dag with `start` and `end` (one
request a ticker), and with `tickers` for a part; `full_refresh` asks for the whole history again. What was interrupted
goes on where it stopped. `dry_run` logs the difference and writes nothing.
"""

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.updater import updater_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = updater_dag(JOBS["us-price"], doc_md=__doc__)
