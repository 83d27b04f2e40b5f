"""Every fault once, as the client library meets it."""

import json
from pathlib import Path
from xml.etree.ElementTree import ParseError

import FinanceDataReader
import pytest
import requests
from curl_cffi.requests import exceptions
from fredapi import Fred
from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

from tests.replay import Fault, Replay
from tests.replay_tests.clients import KEY, history, write_chart

LOGOUT = "https://data.krx.co.kr/comm/bldAttendant/getJsonData.cmd"


@pytest.fixture(autouse=True)
def _one_symbol(replay: Replay, tmp_path: Path) -> None:
    write_chart(tmp_path, "ACME", "Fri, 30 Jan 2026 12:00:00 GMT", {"2026-01-05": 40.0})
    replay.load(tmp_path)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Fault.TOO_MANY, YFRateLimitError),
        (Fault.FORBIDDEN, json.JSONDecodeError),
        (Fault.SERVER_ERROR, json.JSONDecodeError),
        (Fault.DROP, exceptions.RequestException),
        (Fault.TRUNCATED, json.JSONDecodeError),
        (Fault.HTML, json.JSONDecodeError),
        (Fault.EMPTY, YFPricesMissingError),
    ],
)
def test_yahoo(replay: Replay, kind: Fault, error: type[Exception]) -> None:
    replay.fault(kind, source="yahoo", match="period1")
    with pytest.raises(error):
        history("ACME", "2026-01-01", "2026-01-20")


def test_a_fault_happens_as_often_as_asked(replay: Replay) -> None:
    replay.fault("500", source="krx", times=2)
    assert [requests.get(LOGOUT, timeout=5).status_code for _ in range(3)] == [500, 500, 400]


def test_a_fault_meets_its_source_only(replay: Replay) -> None:
    replay.fault("403", source="fred")
    assert requests.get(LOGOUT, timeout=5).status_code == 400
    assert requests.get("https://api.stlouisfed.org/fred/series", timeout=5).status_code == 403


def test_a_time_out(replay: Replay) -> None:
    replay.fault(Fault.TIMEOUT, source="krx")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(LOGOUT, timeout=0.2)


def test_a_dropped_connection(replay: Replay) -> None:
    replay.fault(Fault.DROP, source="krx")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(LOGOUT, timeout=5)


@pytest.mark.parametrize("kind", [Fault.FORBIDDEN, Fault.SERVER_ERROR, Fault.HTML, Fault.EMPTY])
def test_naver_fails_silently(
    replay: Replay, kind: Fault, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # the product hears through requests of its own, which raises; a job that ran before in this process left it there
    monkeypatch.setattr(FinanceDataReader.naver.data, "requests", requests)
    replay.fault(kind, source="naver")
    assert FinanceDataReader.DataReader("005930").empty
    assert "has no data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [(Fault.TOO_MANY, ValueError, "Too Many Requests"), (Fault.EMPTY, ParseError, "no element found")],
)
def test_fred(replay: Replay, kind: Fault, error: type[Exception], message: str) -> None:
    replay.fault(kind, source="fred", times=1)
    with pytest.raises(error, match=message):
        Fred(api_key=KEY).get_series("GDP")


def test_an_unknown_kind_is_refused(replay: Replay) -> None:
    with pytest.raises(ValueError, match="earthquake"):
        replay.fault("earthquake")


def test_a_mutation_says_what_is_sent_instead(replay: Replay) -> None:
    replay.mutate(lambda source, request, answer: answer.but(body=f"{source} {request.path}".encode(), status=418))
    answer = requests.get(LOGOUT, timeout=5)
    assert (answer.status_code, answer.text) == (418, "krx /comm/bldAttendant/getJsonData.cmd")
    replay.reset()
    assert requests.get(LOGOUT, timeout=5).text == "LOGOUT"
