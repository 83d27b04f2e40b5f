"""How a message reaches people: SNS, email and Slack, where they are configured, and the log, always.

Channels are independent: one that is down is tried ATTEMPTS times, then logged, and does not hold up the others. All of
them together take at most about 20 s: the dag processor ends a callback after 50.
"""

import json
import logging
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from html import escape
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tenacity import RetryError, Retrying, stop_after_attempt, wait_exponential

from include.insight_invest.errors import ConfigurationError
from include.insight_invest.log import redact
from include.insight_invest.orchestration.alerts.message import Alert, Kind
from include.insight_invest.orchestration.alerts.reach import SMTP_CONNECTION, Reach
from include.insight_invest.wording import plain

log = logging.getLogger(__name__)

ATTEMPTS = 3
SECONDS = 5  # of one attempt
PAUSE = 1.0  # seconds before the second attempt, twice as many before the third

Channel = Callable[[Alert], None]


def deliver(alert: Alert, reach: Reach, only: Collection[str] = ()) -> list[str]:
    """Log ``alert`` and send it by every channel, or ``only`` some; returns the names of those that did not take it."""
    log.log(logging.INFO if alert.kind is Kind.NORMAL else logging.ERROR, "%s\n%s", alert.subject, alert.body)
    channels = {name: channel for name, channel in _channels(reach).items() if not only or name in only}
    if not channels:
        return []
    with ThreadPoolExecutor(len(channels)) as pool:
        took = pool.map(lambda name: _try(name, channels[name], alert), channels)
        return [name for name, taken in zip(channels, took, strict=True) if not taken]


def _channels(reach: Reach) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    if reach.settings.alert_topic_arn:
        channels["SNS"] = lambda alert: _publish(alert, reach)
    if reach.settings.alert_email:
        channels["email"] = lambda alert: _mail(alert, reach)
    if reach.slack:
        channels["Slack"] = lambda alert: _post(alert, reach)
    return channels


def _try(name: str, channel: Channel, alert: Alert) -> bool:
    tries = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(PAUSE),
        before_sleep=lambda state: log.warning(
            "alert by %s, try %d of %d: %s", name, state.attempt_number, ATTEMPTS, _why(state.outcome)
        ),
    )
    try:
        tries(channel, alert)
    except RetryError as error:
        log.error(  # noqa: TRY400 (its traceback might repeat a secret)
            "alert by %s: given up after %d tries: %s. The message is above; look after the channel",
            *(name, ATTEMPTS, _why(error.last_attempt)),
        )
        return False
    log.info("alert by %s: taken", name)
    return True


def _why(attempt: Future[object] | None) -> str:
    """What a library said. It may repeat what it was given: Slack's URL is a secret, and _post gives it to none."""
    error = attempt.exception() if attempt else None
    return f"{type(error).__name__}: {plain(redact(str(error)))}"


def _publish(alert: Alert, reach: Reach) -> None:
    """To the SNS topic, in the topic's own region."""
    from boto3.session import Session
    from botocore.config import Config

    arn = reach.settings.alert_topic_arn or ""
    bounded = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    client = Session().client("sns", region_name=arn.split(":")[3], config=bounded)
    with closing(client):
        client.publish(TopicArn=arn, Subject=alert.subject, Message=alert.body)


def _mail(alert: Alert, reach: Reach) -> None:
    """By the server of the connection ``smtp_default``; its extra ``from_email`` is the sender."""
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    if reach.smtp is None:
        raise ConfigurationError(
            f"Airflow has no connection {SMTP_CONNECTION}, by which INSIGHT_ALERT_EMAIL is reached"
        )

    class Hook(SmtpHook):
        """With a connection that is known already: in the triggerer's threads nobody can be asked for it."""

        timeout = SECONDS
        smtp_retry_limit = 1

        @classmethod
        def get_connection(cls, conn_id: str) -> Any:  # noqa: ARG003 (the hook's signature)
            return reach.smtp

    with Hook(smtp_conn_id=SMTP_CONNECTION) as hook:
        hook.send_email_smtp(
            to=list(reach.settings.alert_email), subject=alert.subject, html_content=f"<pre>{escape(alert.body)}</pre>"
        )


def _post(alert: Alert, reach: Reach) -> None:
    """To Slack's webhook. urllib neither logs the URL, which is the secret, nor repeats it in its errors."""
    url = reach.slack.get_secret_value() if reach.slack else ""
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError("the connection insight_slack has no URL: its password is the webhook's")
    body = json.dumps({"text": f"*{alert.subject}*\n{alert.body}"}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 (the scheme was looked at)
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 (as above)
            answer.read()
    except HTTPError as error:
        error.close()  # an answer too, with a socket
        raise
