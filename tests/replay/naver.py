"""Naver's chart as finance-datareader asks it: fchart.stock.naver.com/sise.nhn, EUC-KR XML, daily bars."""

from datetime import datetime

import numpy as np

from tests.replay import korea
from tests.replay.bars import PRICES, SEOUL, quote
from tests.replay.data import Library
from tests.replay.messages import Answer, Request

_MOST = 6000  # bars of one answer
_TYPE = "text/xml;charset=EUC-KR"
_DOCUMENT = (
    '<?xml version="1.0" encoding="EUC-KR" ?>\n\n<protocol>\n\n'
    '\t\t\t<chartdata symbol="%s" name="%s" count="%d" timeframe="day" precision="0" origintime="19900103">\n\t\t\t\n'
    "%s\n\t</chartdata>\n</protocol>\n"
)
_ITEM = '\t\t\t\t<item data="%s|%s" />\n\t\t\t\n'


def respond(library: Library, now: datetime, request: Request) -> Answer:
    """The last ``count`` sessions that are over at ``now``: prices in that day's shares, volume as it was traded.

    A code that nothing is known of gets a chart without items, as from Naver.
    """
    code = request.query.get("symbol", "")
    count = min(int(request.query.get("count", _MOST)), _MOST)
    name = korea.name_of(library, code).decode("euc-kr", errors="replace")
    document = _DOCUMENT % (code, name, count, "".join(_items(library, now, code, count)))
    return Answer(document.encode("euc-kr", errors="xmlcharrefreplace"), _TYPE)


def _items(library: Library, now: datetime, code: str, count: int) -> list[str]:
    history = korea.naver_history(library, code)
    if history is None:
        return []
    quotation = quote(history, SEOUL.day(now.timestamp()))
    last = int(np.searchsorted(history.at, now.timestamp() - SEOUL.seconds, side="right"))
    some = slice(max(0, last - count), last)
    days = np.datetime_as_string((history.days[some] - _EPOCH).astype("datetime64[D]"))
    columns = [quotation.values[name][some] for name in PRICES] + [history.values["volume"][some]]
    rows = np.rint(np.column_stack(columns)).astype(np.int64).tolist()
    return [
        _ITEM % (day.replace("-", ""), "|".join(map(str, row))) for day, row in zip(days.tolist(), rows, strict=True)
    ]


_EPOCH = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 (a day, not an instant)
