"""## Universe

**Purpose.** Takes over the exchanges' own listings of the US and of Korea: new shares are added, names and markets are
brought up to date, and who is missing is noted. Five sessions' listings in a row without a share delist it.

**Schedule.** Sunday 12:00 Asia/Seoul, when both markets are closed and the updaters rest.

**Writes.** `tb_meta`, `tb_listing`, `tb_absence`, and a row of `tb_job_run` a market, as job `universe`.

**Triage.** One market does not stop the other; a failed one changed nothing, run it again. Look at the result (XCom) of
each task: `renames` are shares that left as another of the same name came. They are not added until an operator
decides: `universe rename OLD NEW --market US --on DAY --note WHY` keeps the history, five listings without the old one
free the new one. *another run is at work* means the market's updater: the retries wait for it.

**Backfill.** None: a listing is of the day on which it is read. A missed Sunday is made up for by triggering the Dag.
"""

from include.insight_invest.orchestration.universe import universe_sync_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = universe_sync_dag(doc_md=__doc__)
