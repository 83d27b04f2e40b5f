"""Run a scheduled job: ``python run_scheduled_job.py --job us-price``. See include/insight_invest/cli.py."""

import os
import signal

if __name__ == "__main__":
    # Until a run begins there is nothing to undo. The first process of a container has no other way to hear of it.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))

    from include.insight_invest.cli import main

    main()
