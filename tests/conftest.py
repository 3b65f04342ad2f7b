"""One profile for every property test."""

import os

from hypothesis import HealthCheck, settings

# No deadline and no complaint about slowness: the machines are shared, and time is measured by benchmarks. In CI the
# examples are the same every time, so that a change is red by its own doing.
settings.register_profile(
    "songlike",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("songlike")
