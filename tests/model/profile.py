"""How many histories are tried: few and always the same in CI, many in a campaign (HYPOTHESIS_PROFILE=campaign)."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
CAMPAIGN_EXAMPLES = 1_500


def profile(examples: int) -> Callable[[Any], Any]:
    """Try that many examples in CI."""
    return settings(
        max_examples=CAMPAIGN_EXAMPLES if CAMPAIGN else examples,
        derandomize=not CAMPAIGN,
        deadline=None,
        database=None,
        # a run of a whole job takes too long to shrink in CI: a failing history is short enough to read
        phases=[Phase.explicit, Phase.generate] + [Phase.shrink] * CAMPAIGN,
        suppress_health_check=list(HealthCheck),
    )
