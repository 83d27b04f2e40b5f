"""Logging: one line an event, on stderr, as text or JSON; and nothing secret in any of them.

Library code logs by the standard ``logging``. Only the command line calls ``configure``: under Airflow, the task's own
handlers show the same records.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

from include.insight_invest.settings import LogFormat, Settings

# user:password@ in a URL (not the word PASSWORD, which shows the form of one), and FRED's key in a query.
_SECRETS = (
    (
        re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://[^\s:/@]*):(?!(?-i:PASSWORD)@)[^\s@]+@", re.IGNORECASE),
        r"\g<scheme>:***@",
    ),
    (re.compile(r"(?P<name>api_key|password|token)=[^&\s'\"]+", re.IGNORECASE), r"\g<name>=***"),
)


def redact(text: str) -> str:
    """``text`` without passwords of URLs and without keys of query strings."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def configure(settings: Settings) -> None:
    """Send every log record to stderr in the format that LOG_FORMAT names."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tail: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info]
    if settings.log_format is LogFormat.JSON:
        tail += [_redact_event, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        tail += [_redact_event, _text]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tail))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in ("event", "exception"):
        if isinstance(event.get(name), str):
            event[name] = redact(event[name])
    return event


def _text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    line = f"{event['timestamp']} {event['level']:<7} {event['logger'].rpartition('.')[2]}: {event['event']}"
    return f"{line}\n{event['exception']}" if event.get("exception") else line
