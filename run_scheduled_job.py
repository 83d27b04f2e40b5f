"""Run a scheduled job: ``python run_scheduled_job.py --job us-price``. See include/insight_invest/cli.py."""

from include.insight_invest.cli import main

if __name__ == "__main__":
    main()
