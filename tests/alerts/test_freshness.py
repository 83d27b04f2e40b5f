"""The sign of life: what an audit publishes, to CloudWatch (emulated) or to the log."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from boto3.session import Session

from include.insight_invest import clock
from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.freshness import publish_freshness
from tests.alerts.test_channels import aws
from tests.fixtures.market import Market

assert aws  # a fixture
JOB = JOBS["us-price"]
ROWS = {"new": 6, "changed": 0, "unchanged": 0, "held": 1}


@pytest.fixture
def thursday(market: Market, monkeypatch: pytest.MonkeyPatch) -> Market:
    """Thursday noon; Wednesday's session, which is New York's last, is loaded."""
    market.run("us-price")
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 8, 12, tzinfo=UTC))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    return market


def test_without_aws_it_is_a_line_of_the_log(thursday: Market, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        publish_freshness(JOB, thursday.settings(), rows=ROWS, coverage=0.998765432)
    assert (
        'metrics {"job": "us-price", "freshness": 0, "rows_new": 6, "rows_changed": 0, "rows_unchanged": 0, '
        '"rows_held": 1, "coverage": 99.8765}' in caplog.messages
    )


@pytest.mark.parametrize(
    ("now", "behind"),
    [
        ("2026-01-08T22:29+00:00", 0),  # Thursday's session has closed, and settles until 22:30
        ("2026-01-08T22:31+00:00", 1),
        ("2026-01-12T12:00+00:00", 2),  # Monday: Thursday's and Friday's
    ],
)
def test_freshness_is_the_number_of_sessions_that_are_missing(
    thursday: Market, now: str, behind: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(now))
    with caplog.at_level(logging.INFO):
        publish_freshness(JOB, thursday.settings())
    assert f'metrics {{"job": "us-price", "freshness": {behind}}}' in caplog.messages


def test_a_job_that_has_never_run_is_a_year_behind(thursday: Market, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        publish_freshness(JOBS["macro"], thursday.settings())
    assert 'metrics {"job": "macro", "freshness": 250}' in caplog.messages


def test_cloudwatch_has_the_metrics_of_the_job_and_of_this_installation(thursday: Market, aws: None) -> None:
    settings = thursday.settings(metrics_namespace="InsightInvest", environment="test")
    publish_freshness(JOB, settings, rows=ROWS, coverage=1.0)
    found = Session().client("cloudwatch").list_metrics(Namespace="InsightInvest")["Metrics"]
    assert sorted(metric["MetricName"] for metric in found) == [
        *("coverage", "freshness", "rows_changed", "rows_held", "rows_new", "rows_unchanged"),
    ]
    dimensions = [{"Name": "job", "Value": "us-price"}, {"Name": "environment", "Value": "test"}]
    assert all(metric["Dimensions"] == dimensions for metric in found)
    now = datetime.now(UTC)
    points = (
        Session()
        .client("cloudwatch")
        .get_metric_statistics(
            Namespace="InsightInvest",
            MetricName="rows_new",
            Dimensions=dimensions,
            Period=3600,
            Statistics=["Maximum"],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
        )["Datapoints"]
    )
    assert [(point["Maximum"], point["Unit"]) for point in points] == [(6.0, "Count")]


def test_what_cannot_be_published_is_logged_and_fails_nothing(
    thursday: Market, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    publish_freshness(JOB, thursday.settings(metrics_namespace="InsightInvest"))
    assert "us-price: its freshness was not published; the run is whole: EndpointConnectionError" in caplog.text
