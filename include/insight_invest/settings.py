"""The only place that reads the environment.

Every value has a name, a bound and a default here; a missing or unusable one is reported by name, before anything
else happens, and never with its value.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from include.insight_invest.errors import ConfigurationError

_KEY = re.compile("[0-9a-z]{32}")  # what FRED gives out


class Execution(StrEnum):
    """Where an updater runs: in the Airflow worker, or as a task of its own on ECS."""

    LOCAL = "local"
    ECS = "ecs"


class LogLevel(StrEnum):
    """What is logged: this and what is graver."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class LogFormat(StrEnum):
    """How a log line looks."""

    TEXT = "text"
    JSON = "json"


Rate = Annotated[float, Field(gt=0, le=1000)]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]  # in the environment: separated by commas


class Settings(BaseSettings):
    """What the environment says. Rates are requests per second, time-outs seconds."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_ignore_empty=True)

    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    fred_api_key: SecretStr | None = Field(None, validation_alias="FRED_API_KEY")
    environment: str = Field("local", validation_alias="ENVIRONMENT", max_length=40)
    tz: str = Field("Asia/Seoul", validation_alias="TZ")
    log_level: Annotated[LogLevel, BeforeValidator(str.upper)] = Field(LogLevel.INFO, validation_alias="LOG_LEVEL")
    log_format: LogFormat = Field(LogFormat.TEXT, validation_alias="LOG_FORMAT")
    execution: Execution = Field(Execution.LOCAL, validation_alias="INSIGHT_EXECUTION")

    failure_budget: float = Field(0.02, ge=0, le=1, validation_alias="INSIGHT_FAILURE_BUDGET")
    # A run that has sent this many requests stops with exit code 3; 3,000 US tickers need 3,000, whatever the range.
    request_budget: int = Field(20_000, ge=1, validation_alias="INSIGHT_REQUEST_BUDGET")
    lookback_sessions: int = Field(7, ge=5, le=10, validation_alias="INSIGHT_LOOKBACK_SESSIONS")
    # compared with a second source each day; 0 is none
    sample_tickers: int = Field(50, ge=0, le=1000, validation_alias="INSIGHT_SAMPLE_TICKERS")
    timeout: float = Field(30, gt=0, le=300, validation_alias="INSIGHT_TIMEOUT")
    attempts: int = Field(3, ge=1, le=10, validation_alias="INSIGHT_ATTEMPTS")
    retry_wait: float = Field(1, gt=0, le=60, validation_alias="INSIGHT_RETRY_WAIT")  # before the second attempt
    # how long a run at work waits for a database that went away; an RDS failover takes 60 to 120 s
    database_wait: float = Field(150, ge=0, le=600, validation_alias="INSIGHT_DATABASE_WAIT")
    # facts: Yahoo publishes no limit, 1-2 a second and 4 threads are safe; FRED allows 2 a second, 1 is safe.
    yahoo_rate: Rate = Field(2, validation_alias="INSIGHT_YAHOO_RATE")
    yahoo_threads: int = Field(4, ge=1, le=4, validation_alias="INSIGHT_YAHOO_THREADS")
    naver_rate: Rate = Field(2, validation_alias="INSIGHT_NAVER_RATE")
    fred_rate: Rate = Field(1, validation_alias="INSIGHT_FRED_RATE")
    # both listings are files at raw.githubusercontent.com, a few a run
    krx_rate: Rate = Field(4, validation_alias="INSIGHT_KRX_RATE")
    nasdaq_rate: Rate = Field(4, validation_alias="INSIGHT_NASDAQ_RATE")

    # Where INSIGHT_EXECUTION=ecs runs an updater; the task definition of a job is <family>-<job>
    ecs_cluster: str | None = Field(None, validation_alias="INSIGHT_ECS_CLUSTER")
    ecs_family: str = Field("insight-invest", validation_alias="INSIGHT_ECS_FAMILY")
    ecs_subnets: Names = Field((), validation_alias="INSIGHT_ECS_SUBNETS")
    ecs_security_groups: Names = Field((), validation_alias="INSIGHT_ECS_SECURITY_GROUPS")
    ecs_log_group: str = Field("/insight-invest/updaters", validation_alias="INSIGHT_ECS_LOG_GROUP")
    # where the subnets have no NAT gateway, or endpoints of their own
    ecs_public_ip: bool = Field(False, validation_alias="INSIGHT_ECS_PUBLIC_IP")

    # Where the Dag lake_export writes Parquet: s3://bucket/prefix, file:///folder or a folder
    lake_url: str | None = Field(None, validation_alias="INSIGHT_LAKE_URL")

    # Where alerts go, beside the log and the webhook of the connection insight_slack
    alert_topic_arn: str | None = Field(None, validation_alias="INSIGHT_ALERT_TOPIC_ARN", pattern=r"^arn:[^:]+:sns:")
    alert_email: Names = Field((), validation_alias="INSIGHT_ALERT_EMAIL")
    runbooks: str = Field("docs/runbooks", validation_alias="INSIGHT_RUNBOOKS")  # the folder, or the URL of one
    # CloudWatch's namespace of what audits publish; without it they only log it
    metrics_namespace: str | None = Field(None, validation_alias="INSIGHT_METRICS_NAMESPACE", max_length=255)

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone") from error
        return value

    def require(self, names: Iterable[str]) -> None:
        """Raise ConfigurationError naming every one of ``names`` that the environment lacks, or that cannot be."""
        fields = {str(field.validation_alias): key for key, field in type(self).model_fields.items()}
        asked = list(names)
        missing = [name for name in asked if getattr(self, fields[name]) in (None, ())]
        if missing:
            raise ConfigurationError(
                f"missing environment: {', '.join(missing)}. Nothing was started; set it and run again "
                "(README, Configuration)."
            )
        if "FRED_API_KEY" in asked and self.fred_api_key and not _KEY.fullmatch(self.fred_api_key.get_secret_value()):
            raise ConfigurationError("unusable environment: FRED_API_KEY is not 32 lower-case letters and digits")

    def rate_of(self, source: str) -> float:
        """Requests a second that ``source`` may be sent, by all processes together."""
        rate: float = getattr(self, f"{source}_rate")
        return rate

    def database(self) -> str:
        """The database's URL, with its password. Raises ConfigurationError where it is not set."""
        self.require(["DATABASE_URL"])
        assert self.database_url is not None  # noqa: S101 (require has just said so)
        return self.database_url.get_secret_value()


def load_settings(**overrides: object) -> Settings:
    """Read the environment; ``overrides`` win. Raises ConfigurationError naming each unusable variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors(include_input=False))
        raise ConfigurationError(f"unusable environment: {problems}") from None
