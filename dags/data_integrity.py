"""## Data integrity

**Purpose.** Looks at all that is stored and says what is wrong with it: sessions that did not come (*freshness*), runs
that failed or hang (*last_runs*), missing bars (*gaps*), sessions that were perhaps none (*closures*), values that the
daily sample found different at a second source (*second_sources*), rows that wait too long for a decision
(*quarantine*), ledger and data that do not agree (*invariants*).

**Schedule.** Whenever prices or macro series came (the assets `us_prices`, `kr_prices`, `us_macro`), and at 10:00
Asia/Seoul every day, whether any came or not: nothing is what a dead updater sends.

**Writes.** Nothing: it reads, in sessions that cannot write.

**Triage.** A failed task is a finding. Its message says what is wrong, what it means for the data, and the command that
mends it; the notes of the others are in their results. Trying again does not help before something was done. The limits
are the Dag's parameters: trigger it with others to see what they would find.

**Backfill.** None: it looks at what is stored now.
"""

from include.insight_invest.orchestration.integrity import data_integrity_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = data_integrity_dag(doc_md=__doc__)
