"""Where alerts go: the settings, and what only Airflow's connections know, asked as the calling process can ask."""

import logging
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from include.insight_invest.errors import ConfigurationError
from include.insight_invest.orchestration.database import CONNECTION, connection_url
from include.insight_invest.settings import Settings, load_settings

log = logging.getLogger(__name__)

SLACK_CONNECTION = "insight_slack"
SMTP_CONNECTION = "smtp_default"


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """What SmtpHook reads of a connection, read before.

    An Airflow connection masks its secrets whenever its extra is read, by asking the supervisor; from a thread of the
    triggerer that tears the triggerer's own conversation apart (3.2.1: "Response read out of order"), and ends it.
    """

    host: str | None
    port: int | None
    login: str | None
    password: str | None = field(repr=False)
    extra_dejson: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whom a message goes to, and the database that knows what was told. What is None is not there."""

    settings: Settings
    slack: SecretStr | None = None  # the webhook's URL
    smtp: Mailbox | None = None


def reach() -> Reach:
    """For a worker and for the dag processor. Where the environment is unusable: to the log."""
    found = {}
    for name in _wanted():
        try:
            found[name] = Connection.get(name)
        except Exception as error:  # noqa: BLE001 (whatever a secrets backend raises: the rest is told without it)
            _tell_missing(name, error)
    return _reach_with(found)


async def reach_from_triggerer() -> Reach:
    """As ``reach``, for the triggerer: its event loop a synchronous question would block, or break on Airflow 3.2."""
    found = {}
    for name in _wanted():
        try:
            found[name] = await Connection.async_get(name)
        except Exception as error:  # noqa: BLE001 (as above)
            _tell_missing(name, error)
    return _reach_with(found)


def _wanted() -> list[str]:
    try:
        mailed = load_settings().alert_email
    except ConfigurationError:
        return []  # _reach_with says so
    return [CONNECTION, SLACK_CONNECTION, *([SMTP_CONNECTION] if mailed else [])]


def _tell_missing(name: str, error: Exception) -> None:
    if isinstance(error, AirflowNotFoundException) and name == SLACK_CONNECTION:
        return  # not configured
    log.warning("alerts go out without the connection %s: %s", name, type(error).__name__)


def _reach_with(found: dict[str, Any]) -> Reach:
    database = found.get(CONNECTION)
    try:
        settings = load_settings(database_url=connection_url(database)) if database else load_settings()
    except ConfigurationError as error:
        log.error(  # noqa: TRY400 (its traceback says no more)
            "alerts go to this log only, and nobody knows what was told: %s. Mend it, and look into the logs of this"
            " time",
            error,
        )
        return Reach(settings=Settings.model_construct())
    slack = found.get(SLACK_CONNECTION)
    smtp = found.get(SMTP_CONNECTION)
    return Reach(
        settings=settings, slack=_webhook(slack) if slack else None, smtp=_mailbox(smtp) if smtp is not None else None
    )


def _mailbox(connection: Any) -> Mailbox:
    return Mailbox(
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        extra_dejson=connection.extra_dejson,
    )


def _webhook(connection: Any) -> SecretStr:
    """The URL is the password, or host and password, as the Slack provider has it."""
    password = connection.password or ""
    if password.startswith(("http://", "https://")) or not connection.host:
        return SecretStr(password)
    host = connection.host if "://" in connection.host else f"https://{connection.host}"
    return SecretStr(f"{host.rstrip('/')}/{password.lstrip('/')}")
