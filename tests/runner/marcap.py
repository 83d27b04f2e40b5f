"""Real sessions of the Korean market (FinanceData/marcap) as the replay serves them: listings and Naver's histories."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tests.folders import write_naver

_COLUMNS = [
    "Code", "ISU_CD", "Name", "Market", "Dept", "Close", "ChangeCode", "Changes", "ChagesRatio", "Open", "High", "Low",
    "Volume", "Amount", "Marcap", "Stocks", "MarketId",
]  # fmt: skip
_WHOLE = ["Close", "Changes", "Open", "High", "Low", "Volume", "Amount", "Marcap", "Stocks"]


def read(shared_data: Path, year: int) -> pd.DataFrame:
    """The rows of 2026 (33 sessions to 20 February) or 2023 (30, to 14 February), by code and session."""
    if year == 2026:
        frame = pd.read_parquet(shared_data / "marcap" / "marcap-2026.parquet")
    else:
        frame = pd.read_csv(
            shared_data / "marcap" / "marcap-2023.csv.gz", dtype={"Code": str, "Dept": str}, low_memory=False
        )
        frame["Date"] = pd.to_datetime(frame["Date"])
    whole = frame.astype(dict.fromkeys(_WHOLE, "int64")).assign(ISU_CD="KR7" + frame["Code"] + "000")
    return whole.sort_values(["Code", "Date"], ignore_index=True)


def write_listings(folder: Path, frame: pd.DataFrame) -> list[str]:
    """One listing per session of ``frame``; returns the sessions."""
    (folder / "krx_listing").mkdir(parents=True, exist_ok=True)
    days = []
    for day, rows in frame.groupby(frame["Date"].dt.strftime("%Y-%m-%d")):
        days.append(str(day))
        listing = rows[_COLUMNS].reset_index(drop=True)
        listing.to_csv(folder / "krx_listing" / f"krx-{days[-1]}.csv", encoding="utf-8-sig")
    return days


def write_histories(folder: Path, frame: pd.DataFrame, ratios: Mapping[tuple[str, str], float]) -> None:
    """Naver's histories of the codes in ``ratios`` ({(code, ex-date): new shares for one old}), and of no other.

    Restated on each ex-date, cut to whole won; not restated where the ratio is 1.
    """
    lines = ["code,ex_date,ratio"]
    for code in sorted({code for code, _ in ratios}):
        rows = frame[frame["Code"] == code]
        factor = np.ones(len(rows))
        for (owner, ex_date), ratio in ratios.items():
            if owner == code and ratio != 1:
                factor[(rows["Date"] < ex_date).to_numpy()] *= ratio
                lines.append(f"{code},{ex_date},{ratio!r}")
        prices = np.floor(rows[["Open", "High", "Low", "Close"]].to_numpy() / factor[:, None] + 1e-6).astype(int)
        bars = np.column_stack([prices, rows["Volume"]]).tolist()
        write_naver(folder, code, dict(zip(rows["Date"].dt.strftime("%Y-%m-%d"), map(tuple, bars), strict=True)))
    (folder / "naver" / "actions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def only(frame: pd.DataFrame, codes: Sequence[str], others: int = 40) -> pd.DataFrame:
    """The rows of ``codes`` and of the ``others`` largest companies."""
    largest = frame[frame["Date"] == frame["Date"].min()].nlargest(others, "Marcap")["Code"]
    return frame[frame["Code"].isin({*codes, *largest})]
