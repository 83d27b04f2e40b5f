"""The database goes away, is slow, full, or refuses. ``OUTAGE=long`` tries every point, with all rows."""

import os

LONG = os.environ.get("OUTAGE") == "long"
