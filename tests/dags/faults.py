"""Faults to plant into a copy of ``dags/us_price.py``, each with the sentence that must name it."""

TAIL = 'dag = updater_dag(JOBS["us-price"], doc_md=__doc__)'
_REPLACED = """import dataclasses
from datetime import time, timedelta
dag = updater_dag(dataclasses.replace(JOBS["us-price"], {}), doc_md=__doc__)"""


def _job(fields: str) -> tuple[str, str]:
    """Another row of the registry."""
    return TAIL, _REPLACED.format(fields)


def _after(code: str) -> tuple[str, str]:
    return TAIL, f"{TAIL}\n{code}"


def _before(code: str) -> tuple[str, str]:
    return TAIL, f"{code}\n{TAIL}"


# What the Dag is: (text, its replacement, the sentence).
OF_THE_DAG: dict[str, tuple[tuple[str, str], str]] = {
    "a syntax error": ((TAIL, "dag = updater_dag("), "us_price.py cannot be imported: SyntaxError"),
    "a wrong import": (_before("import nowhere"), "us_price.py cannot be imported: ModuleNotFoundError"),
    "a job that there is not": ((TAIL, TAIL.replace("us-", "eu-")), "us_price.py cannot be imported: KeyError"),
    "an error at the top": (_before("1 / 0"), "us_price.py cannot be imported: ZeroDivisionError"),
    "a cycle": (
        _after('dag.get_task("audit") >> dag.get_task("prepare")'),
        "us_price.py cannot be imported: AirflowDagCycleException",
    ),
    "a cron that is none": (_job("schedule='0 25 * * *'"), "us_price.py cannot be imported: "),
    "no Dag": ((TAIL, "dag = None"), "us_price.py defines [], expected ['us_price_updater']"),
    "another id": (_job("dag_id='us_prices'"), "us_price.py defines ['us_prices']"),
    "no retries": (_job("retries=0"), "retries of update is 0"),
    "one retry too few": (_after('dag.get_task("prepare").retries = 1'), "retries of prepare is 1"),
    "another time-out": (_job("execution_timeout=timedelta(hours=9)"), "execution_timeout of update is"),
    "no time-out": (_after('dag.get_task("audit").execution_timeout = None'), "execution_timeout of audit is None"),
    "another hour": (_job("schedule='0 19 * * TUE-SAT'"), "2026, 260 expected; first different: Thu"),
    "another day": (_job("schedule='0 18 * * MON-FRI'"), "first different: "),
    "a timezone with a summer": (_job("timezone='America/New_York'"), "timezone is 'America/New_York'"),
    "no tags": (_job("tags=()"), "tags is set()"),
    "another owner": (_job("owner='airflow'"), "owner is 'airflow'"),
    "catching up": (_after("dag.catchup = True"), "catchup is True"),
    "two runs at once": (_after("dag.max_active_runs = 2"), "max_active_runs is 2"),
    "a lost param": (_after("del dag.params['dry_run']"), "params is"),
    "a param without a type": (_after("dag.params['colour'] = 'red'"), "the param colour has no type"),
    "a param that the form refuses": (
        _after("import airflow.sdk\ndag.params['tickers'] = airflow.sdk.Param('', type='string', description='which')"),
        "the param tickers cannot be left as the form shows it",
    ),
    "a torn flow": (_after("dag.get_task('update').downstream_task_ids.clear()"), "flow is"),
    "another pool": (_job("sources=('bloomberg',)"), "pools is {'update': 'bloomberg'}"),
    "another asset": (_after("dag.get_task('audit').outlets.clear()"), "outlets is {}"),
    "a rule that hides a failure": (
        _after("dag.get_task('audit').trigger_rule = 'all_done'"), "trigger rule of audit is 'all_done'"
    ),
    "no Triage section": (("**Triage.**", "**Notes.**"), "its page lacks the section Triage"),
    "no Backfill section": (("**Backfill.**", "**More.**"), "its page lacks the section Backfill"),
    "a title that is the id": (_job("title='us_price_updater'"), "title is False"),
    "a template that does not parse": (
        _after("dag.get_task('update').map_index_template = '{{ task.'"), "update has a template that does not parse"
    ),
    "a name that no template knows": (
        _after("dag.get_task('update').map_index_template = '{{ shrad }}'"), "update has a template with shrad"
    ),
    "mapped tasks that are numbers": (
        _after("dag.get_task('update').map_index_template = None"), "a template with map_index_template_is_missing"
    ),
    "what cannot be serialised": (_after("dag.params['dry_run'] = object()"), "cannot be"),
    "a failure that nobody hears of": (
        _after("dag.get_task('audit').on_failure_callback = []"), "audit fails without a word"
    ),
    "a failed run that nobody hears of": (_after("dag.on_failure_callback = None"), "a run fails without a word"),
    "a recovery that nobody hears of": (_after("dag.on_success_callback = print"), "nobody hears of a recovery"),
    "no deadline": (_after("dag.deadline = None"), "deadlines is set()"),
    "a later hour at which data must be there": (_job("due=time(23, 30)"), "deadlines is"),
    "a deadline that the triggerer cannot import": (
        _after("dag.deadline[0].callback.path = 'us_price.late'"), "a deadline calls us_price.late"
    ),
}  # fmt: skip

# What reading the file does.
OF_READING: dict[str, tuple[tuple[str, str], str]] = {
    "a heavy import": (_before("import pandas"), "reading it loads pandas"),
    "a provider": (
        _before("import airflow.providers.amazon.aws.operators.ecs"), "reading it loads boto3"
    ),
    "a Variable at the top": (
        _before("import airflow.sdk\nvalue = airflow.sdk.Variable.get('colour', default=None)"),
        "reading it asks Airflow for colour",
    ),
    "a connection at the top": (
        _before("import airflow.sdk\nvalue = airflow.sdk.Connection.get('insight_invest')"),
        "reading it asks Airflow for insight_invest",
    ),
    "a name looked up": (
        _before("import socket\nfound = socket.getaddrinfo('127.0.0.1', 80)"), "reading it does socket.getaddrinfo"
    ),
    "a process": (_before("import subprocess\nfound = subprocess.run(['true'])"), "reading it does subprocess.Popen"),
    "a database": (_before("import sqlite3\nfound = sqlite3.connect(':memory:')"), "reading it does sqlite3.connect"),
    "a file": (_before("found = open('/tmp/universe.csv', 'w')"), "reading it opens universe.csv"),
    "something deprecated": (
        _before("import warnings\nwarnings.warn('old', DeprecationWarning)"), "reading it warns: DeprecationWarning"
    ),
    "what Airflow 3 has moved": (
        _before("from airflow.operators.python import PythonOperator"), "reading it warns: DeprecatedImportWarning"
    ),
    "an argument that Airflow 3 ignores": (
        _before("from airflow.sdk import DAG\nother = DAG('other', sla_miss_callback=print)"), "ruff AIR"
    ),
    "code that belongs elsewhere": (_after("for _ in range(3):\n    pass"), "more than imports and one `dag"),
}  # fmt: skip
