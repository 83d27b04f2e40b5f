"""## Canary

**Purpose.** Whether everything is there that the next run will need, after a deploy: the database, its schema and the
role's rights (*database*), the jobs' secrets (*secrets*), and on AWS the worker's identity, the ECS cluster, the task
definitions, their images in ECR, the log group and the topic of the alerts. With `run_container` it also runs `doctor`
in the updater's container, as a Fargate task.

**Schedule.** None: the deploy triggers it, or an operator who doubts.

**Writes.** Nothing.

**Triage.** The task that failed names what is missing and how to bring it; nothing was started. Without
`INSIGHT_EXECUTION=ecs` what belongs to AWS is skipped. *was refused* is AWS's own answer: the worker's role may not, or
cannot reach it.

**Backfill.** None: it looks at what is there now.
"""

from include.insight_invest.orchestration.canary import canary_dag

# Airflow looks for the words "airflow" and "dag" in a file before it reads it.
dag = canary_dag(doc_md=__doc__)
