"""``python -m tests.fuzz [--source S] [--payloads N] [--seed N] [--narrow]``."""

import os
import sys
from datetime import UTC, datetime

from tests.replay import Replay

with Replay([], datetime(2026, 1, 8, tzinfo=UTC)) as replay:
    os.environ.update(replay.env)  # before anything imports curl_cffi
    from tests.fuzz.command import main

    code = main(replay)
sys.exit(code)
