"""What share of a whole job the database is."""

from typing import Any

from bench.cases.updater import EVENING, NAME, NEXT_EVENING, run_job, source
from bench.race import Bench, Rounds
from bench.stored import define


def job(bench: Bench) -> dict[str, Any]:
    """The first load of some hundred tickers' ten years, and the run of the day after."""
    number = bench.sizes.job_tickers
    found: Rounds = {"first load": [], "daily": []}
    with source(bench.server.root, EVENING) as evening, source(bench.server.root, NEXT_EVENING) as next_evening:
        for turn in range(bench.sizes.job_rounds):
            title = f"job of {number} tickers, round {turn + 1} of {bench.sizes.job_rounds}"
            define(bench.server, NAME, number, ledger=False)
            for name, env, as_of in (("first load", evening, EVENING), ("daily", next_evening, NEXT_EVENING)):
                bench.server.vacuum(NAME)
                used = run_job(bench, env, as_of, title=f"{title}, {name}")
                in_database = used["backend_cpu"] + used["store_cpu"]
                found[name].append({**used, "share": in_database / (used["cpu"] + used["backend_cpu"])})
    bench.server.drop(NAME)
    return {"tickers": number, "rounds": found}
