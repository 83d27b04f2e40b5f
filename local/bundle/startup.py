"""``startup.sh`` with an environment's settings in it. MWAA takes over what the script exports."""

import shlex
from collections.abc import Mapping
from typing import get_args

from pydantic import SecretStr

from include.insight_invest.errors import UsageError
from include.insight_invest.on_ecs import NEEDS
from include.insight_invest.settings import Execution, Settings, load_settings

MARK = "# settings\n"


def read_settings(text: str) -> dict[str, str]:
    """The lines ``NAME=value`` of a settings file; raises UsageError for what is no setting, no value, or a secret."""
    known = {str(field.validation_alias): field for field in Settings.model_fields.values()}
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not sign or name not in known:
            raise UsageError(
                f"line {number} of the settings is no NAME=value of a setting: {name}. "
                f"Nothing was written; the settings are {', '.join(sorted(known))}"
            )
        if SecretStr in get_args(known[name].annotation):
            raise UsageError(
                f"line {number} of the settings is a secret: {name}. Nothing was written; secrets are connections of "
                "Airflow, kept in Secrets Manager (docs/mwaa.md)"
            )
        found[name] = value
    settings = load_settings(**found)
    if settings.execution is Execution.ECS and (missing := [name for name in NEEDS if not found.get(name)]):
        raise UsageError(f"the settings lack {', '.join(missing)}, which ecs needs. Nothing was written; add them")
    return found


def fill(script: str, settings: Mapping[str, str]) -> str:
    """``script`` with ``settings`` exported where its mark is."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
    before, mark, after = script.partition(MARK)
    if not mark:
        raise UsageError(f"startup.sh has lost its line {MARK.strip()!r}, after which the settings go: restore it")
    return before + mark + exports + after
