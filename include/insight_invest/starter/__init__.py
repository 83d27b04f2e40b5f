"""What a new database can begin with: a universe of 64 securities and 57 FRED series.

``universe.csv`` is a universe file like any other (``universe import`` reads it): tickers as their listing writes them,
names and sectors as Nasdaq's screener and KRX write them (KRX's listing gives no sector; ours use Nasdaq's names). NYSE
stands for NYSE Arca too, where most ETFs are listed, and KOSDAQ for its premium segment, KOSDAQ GLOBAL.
``macro_series.csv`` has the columns fred (the series' id), description (FRED's title) and category.
"""

from importlib.resources import files
from pathlib import Path


def universe_file() -> Path:
    """The starter universe: ticker, name, security_type, asset_class, sector, iso_code, market; UTF-8."""
    return _path("universe.csv")


def macro_file() -> Path:
    """The starter series: fred, description, category; UTF-8."""
    return _path("macro_series.csv")


def _path(name: str) -> Path:
    return Path(str(files(__name__) / name))
