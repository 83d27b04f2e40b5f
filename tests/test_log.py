"""Log lines: one an event, as text or JSON, and nothing secret in any of them."""

import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from include.insight_invest.log import configure, redact
from include.insight_invest.settings import load_settings

log = logging.getLogger("include.insight_invest.somewhere")


@pytest.fixture(autouse=True)
def _given_back(kept_logging: None) -> Iterator[None]:
    yield
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgresql://insight:pass-word@db.example:5432/insight", "postgresql://insight:***@db.example:5432/insight"),
        ("postgresql+psycopg://me:p%40ss@host/db is down", "postgresql+psycopg://me:***@host/db is down"),
        ("http://user:secret@proxy:8080", "http://user:***@proxy:8080"),
        ("GET /series?series_id=GDP&api_key=0123456789abcdef&x=1", "GET /series?series_id=GDP&api_key=***&x=1"),
        ("host=db password=secret user=me", "host=db password=*** user=me"),
        ("https://example.org/path?a=b says nothing", "https://example.org/path?a=b says nothing"),
        ("at 12:30 mail me@example.org", "at 12:30 mail me@example.org"),
    ],
)
def test_redact(text: str, told: str) -> None:
    assert redact(text) == told


def test_a_text_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(load_settings())
    log.warning("%s of %s", 1, 2)
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert captured.out == ""
    assert line.split(" ", 1)[1] == "warning somewhere: 1 of 2"
    assert line.split(" ")[0].endswith("Z")


def test_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(load_settings(log_format="json"))
    log.info("삼성전자 %d", 5)
    record = json.loads(capsys.readouterr().err)
    assert record | {"timestamp": ""} == {
        "event": "삼성전자 5",
        "level": "info",
        "logger": "include.insight_invest.somewhere",
        "timestamp": "",
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_is_told_whole_and_without_secrets(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure(load_settings(log_format=log_format))
    try:
        raise ValueError("no answer of https://api.example/?api_key=hidden&x=1, postgresql://a:hidden@b/c")
    except ValueError:
        log.exception("it failed")
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert "in test_a_traceback_is_told_whole_and_without_secrets" in told
    assert "hidden" not in told
    if log_format == "json":
        assert len(told.splitlines()) == 1


def test_a_warning_of_a_library_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure(load_settings(log_format="json"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("deprecated", FutureWarning, stacklevel=1)
    assert "FutureWarning: deprecated" in json.loads(capsys.readouterr().err)["event"]


def test_log_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure(load_settings(log_level="warning"))
    log.info("quiet")
    log.warning("loud")
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == ["loud"]
