"""How a message reaches people: SNS, email and Slack, where they are configured, and the log, always.

Channels are independent: one that is down is tried ATTEMPTS times, then logged, and does not hold up the others. All of
them together take at most about 20 s: the dag processor ends a callback after 50.
"""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any
from urllib.request import Request, urlopen

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


def deliver(alert: Alert, reach: Reach) -> list[str]:
    """Log ``alert`` and send it by every channel; returns the names of those that did not take it."""
    log.log(logging.INFO if alert.kind is Kind.NORMAL else logging.ERROR, "%s\n%s", alert.subject, alert.body)
    channels = _channels(reach)
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
    for attempt in range(1, ATTEMPTS + 1):
        try:
            channel(alert)
        except Exception as error:  # noqa: BLE001 (of three libraries; a channel must not stop the others)
            # A library's message may repeat what it was given, and Slack's URL is a secret: see _post.
            log.warning(
                "alert by %s, try %d of %d: %s: %s",
                *(name, attempt, ATTEMPTS, type(error).__name__, plain(redact(str(error)))),
            )
        else:
            log.info("alert by %s: taken", name)
            return True
        if attempt < ATTEMPTS:
            time.sleep(PAUSE * 2 ** (attempt - 1))
    log.error("alert by %s: given up after %d tries. The message is above; look after the channel", name, ATTEMPTS)
    return False


def _publish(alert: Alert, reach: Reach) -> None:
    """To the SNS topic, in the topic's own region."""
    from boto3.session import Session
    from botocore.config import Config

    arn = reach.settings.alert_topic_arn or ""
    bounded = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    client = Session().client("sns", region_name=arn.split(":")[3], config=bounded)
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
    with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 (as above)
        answer.read()
