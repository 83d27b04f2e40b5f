"""The demonstration's data: a folder that the replay server serves in place of the outside world.

    yahoo_chart/demo-SYMBOL.json                five real US tickers, as Yahoo's chart endpoint words them
    us_listing/*_full_tickers-DATE.json.gz      the same tickers, as the exchanges' listing files word them
    krx_listing/krx-DATE.csv                    a simulated Korean market, one whole-market snapshot a session
    naver/CODE.sise.xml, naver/actions.csv      the same market, one history a ticker, and its splits
    fred/SERIES.all_releases.json, .info.json   real US macro series, as FRED words them
    universe.csv, macro_series.csv              what to register at first

Everything comes from packages already installed and from a fixed seed: no network, and the same bytes every time.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Final

from include.insight_invest.sessions import sessions
from local.demo_data.dates import CALENDAR_START, END

MARKER: Final = ".demo-data.json"
PACKAGES: Final = ("arch", "bokeh-sampledata", "numpy", "pandas", "statsmodels")

_KOREA: Final = (
    "simulated: no package carries Korean prices, so a seeded simulator made every Korean ticker, price and split"
)

# One sentence for each job, to be printed beside what the job did.
PROVENANCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "us-price": f"real prices of 2000-2013 from bokeh-sampledata, re-dated session by session to end on {END}",
        "kr-price": _KOREA,
        "macro": "real values up to 2019 from arch and statsmodels, re-dated by whole years (daily series by whole "
        f"weeks) to run up to {END}; each value has one vintage, dated by the usual lag of its release",
    }
)
TRUE_DATE_PROVENANCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "us-price": "real prices of 2000-2013 from bokeh-sampledata, on their true dates",
        "kr-price": _KOREA,
        "macro": "real values up to 2019 from arch and statsmodels, on their true dates; each value has one vintage, "
        "dated by the usual lag of its release",
    }
)


def build(out: Path, redate: bool = True) -> Path:
    """Makes the folder ``out``, unless it is already there as this version of the generator makes it.

    With ``redate`` the US and macro series are moved to end in 2027, so that a run of today finds data up to today;
    without it they keep their true dates. A folder appears whole or not at all: it is made beside its place, then
    renamed.

    Raises:
        FileExistsError: ``out`` exists and was not made by this generator; nothing is deleted.
    """
    marker = _marker(redate)
    if _is_current(out, marker):
        return out
    if out.exists() and not (out / MARKER).is_file():
        raise FileExistsError(f"{out} exists and is not demonstration data: give another folder, or remove it yourself")
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _generate(fresh, redate)
        (fresh / MARKER).write_text(marker, encoding="utf-8")
        fresh.chmod(0o755)  # mkdtemp makes folders private
        _put_in_place(fresh, out, marker)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out


def _generate(folder: Path, redate: bool) -> None:
    # Imported here: arch and statsmodels take seconds to load, and a folder that is already there needs neither.
    from local.demo_data import korea_files, macro_files, us_files

    us_files.write(folder, redate)
    macro_files.write(folder, redate)
    korea_files.write(folder)


def _marker(redate: bool) -> str:
    """What the bytes of the folder depend on, as JSON text."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for exchange in ("XNYS", "XKRX"):
        digest.update(repr(sessions(exchange, CALENDAR_START, END)).encode())
    content = {
        "generator": digest.hexdigest(),
        "packages": {name: version(name) for name in PACKAGES},
        "provenance": dict(PROVENANCE if redate else TRUE_DATE_PROVENANCE),
    }
    return json.dumps(content, indent=2) + "\n"


def _is_current(out: Path, marker: str) -> bool:
    return (out / MARKER).is_file() and (out / MARKER).read_text(encoding="utf-8") == marker


def _put_in_place(fresh: Path, out: Path, marker: str) -> None:
    """Renames ``fresh`` to ``out``, whose former content goes; another process may be doing the same."""
    if _is_current(out, marker):
        return
    if out.exists():
        former = Path(tempfile.mkdtemp(prefix=f".{out.name}-former-", dir=out.parent))
        with suppress(FileNotFoundError):  # the other process has just moved it away
            out.replace(former)
        shutil.rmtree(former)
    try:
        fresh.rename(out)
    except OSError:
        if not _is_current(out, marker):
            raise
