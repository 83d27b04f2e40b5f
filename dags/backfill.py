"""## Backfill

**Purpose.** Fills a range of one job by hand, in Airflow, with the job's own checks, lease and ledger: `job`, `start`
and `end`, or `full_refresh`, for `tickers` or for all. `dry_run` is on unless it is switched off.

**Schedule.** None: trigger it with a configuration. First as it is, which logs every row that would change; then the
same with `dry_run` off.

**Writes.** Nothing in a dry run; otherwise what the job's own Dag writes, and an event of the job's asset.

**Triage.** *another run is at work* means the job's own Dag: the retries wait for it. What was
committed stays, and the same configuration once more goes on where it stopped. Everything else is as on the page of the
job's Dag.

**Backfill.** This is it. For days that the job's Dag missed, `airflow backfill create` of that Dag does as well, one
run a day; a range is faster here, with one request a ticker (in Korea one a session).
"""

from include.insight_invest.orchestration.backfill import backfill_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = backfill_dag(doc_md=__doc__)
