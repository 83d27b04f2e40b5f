"""What an updater is on ECS: whoever starts it, looks whether it could be, or builds for it, reads this."""

from typing import Any, Final

from include.insight_invest.settings import Settings

CONTAINER: Final = "updater"  # in every task definition
# Settings without which no task can be started.
NEEDS: Final = ("INSIGHT_ECS_CLUSTER", "INSIGHT_ECS_SUBNETS", "INSIGHT_ECS_SECURITY_GROUPS")


def family_of(settings: Settings, job_name: str) -> str:
    """The family of a job's task definitions; ECS takes its newest active revision, which was deployed last."""
    return f"{settings.ecs_family}-{job_name}"


def network_of(settings: Settings) -> dict[str, Any]:
    """RunTask's networkConfiguration."""
    return {
        "awsvpcConfiguration": {
            "subnets": list(settings.ecs_subnets),
            "securityGroups": list(settings.ecs_security_groups),
            "assignPublicIp": "ENABLED" if settings.ecs_public_ip else "DISABLED",
        }
    }
