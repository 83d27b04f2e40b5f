"""Receivers: SNS (emulated) into SQS, a real SMTP server, a real HTTP server; and what becomes of one that is down."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from boto3.session import Session
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from include.insight_invest.orchestration.alerts import channels
from include.insight_invest.orchestration.alerts.channels import deliver
from include.insight_invest.orchestration.alerts.message import Kind
from include.insight_invest.orchestration.alerts.reach import Mailbox, Reach
from include.insight_invest.settings import load_settings
from tests.alerts.receivers import Webhook, mail_server, webhook
from tests.alerts.test_message import LATE, with_changes

REGION = "ap-northeast-2"
NOBODY_LISTENS = 9
LOCAL = {"disable_tls": True, "disable_ssl": True, "from_email": "airflow@example.com"}


@pytest.fixture
def slack() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS, as far as moto has it, by boto3's own settings."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    server.stop()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PAUSE", 0.01)


def by(port: int, **extra: Any) -> Mailbox:
    return Mailbox(host="127.0.0.1", port=port, login=None, password=None, extra_dejson=LOCAL | extra)


def reach(**settings: Any) -> Reach:
    return Reach(settings=load_settings(**settings))


def test_without_a_channel_there_is_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert deliver(LATE, reach()) == []
        assert deliver(with_changes(kind=Kind.NORMAL), reach()) == []
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"{LATE.subject}\n{LATE.body}"),
        ("INFO", "{0.subject}\n{0.body}".format(with_changes(kind=Kind.NORMAL))),
    ]


def test_sns_has_subject_and_body(aws: None) -> None:
    sns, sqs = (Session().client(name, region_name=REGION) for name in ("sns", "sqs"))
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    assert deliver(LATE, reach(alert_topic_arn=topic)) == []

    notes = [json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=queue)["Messages"]]
    assert [(note["Subject"], note["Message"]) for note in notes] == [(LATE.subject, LATE.body)]


def test_an_email_has_subject_and_body() -> None:
    with mail_server() as (port, mails):
        mailed = replace(reach(alert_email="one@example.com,two@example.com"), smtp=by(port))
        assert deliver(LATE, mailed) == []
    assert len(mails) == 1
    assert "To: one@example.com, two@example.com" in mails[0]
    assert "From: airflow@example.com" in mails[0]
    assert LATE.subject in mails[0].replace("\n ", " ").replace("\r", "")


def test_slack_has_subject_and_body(slack: Webhook) -> None:
    assert deliver(LATE, replace(reach(), slack=SecretStr(slack.url))) == []
    assert slack.texts == [f"*{LATE.subject}*\n{LATE.body}"]


def test_a_channel_that_comes_back_in_time_has_the_message_once(slack: Webhook) -> None:
    slack.refuse = 2
    assert deliver(LATE, replace(reach(), slack=SecretStr(slack.url))) == []
    assert len(slack.texts) == 1


def test_one_that_is_down_is_tried_three_times_and_logged_and_the_others_have_the_message(
    slack: Webhook, aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    told = reach(alert_email="one@example.com", alert_topic_arn=f"arn:aws:sns:{REGION}:123456789012:nowhere")
    with caplog.at_level(logging.WARNING):
        lacking = deliver(LATE, replace(told, slack=SecretStr(slack.url), smtp=by(NOBODY_LISTENS)))
    assert lacking == ["SNS", "email"]
    assert len(slack.texts) == 1
    assert [line.split(":")[0] for line in sorted(caplog.messages) if line.startswith("alert by")] == [
        *("alert by SNS, try 1 of 3", "alert by SNS, try 2 of 3", "alert by SNS"),
        *("alert by email, try 1 of 3", "alert by email, try 2 of 3", "alert by email"),
    ]
    assert "alert by email: given up after 3 tries: ConnectionRefusedError" in caplog.text


@pytest.mark.parametrize("path", ["/services/T000/B000/another-secret", "no-url-but-a-secret"])
def test_no_log_has_the_webhook(slack: Webhook, path: str, caplog: pytest.LogCaptureFixture) -> None:
    url = path if path.startswith("no") else slack.url.replace("/services/T000/B000/secret", path)
    with caplog.at_level(logging.DEBUG):
        assert deliver(LATE, replace(reach(), slack=SecretStr(url))) == ["Slack"]
    assert "alert by Slack: given up after 3 tries" in caplog.text
    assert "secret" not in caplog.text


def test_email_without_its_connection_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    assert deliver(LATE, reach(alert_email="one@example.com")) == ["email"]
    assert "Airflow has no connection smtp_default" in caplog.text
