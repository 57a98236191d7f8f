"""What all tests share: how hard hypothesis tries, and the servers.

``HYPOTHESIS_PROFILE=nightly`` selects a profile; under CI, ``ci`` is the default.
"""

import os

from hypothesis import HealthCheck, settings

from tests.servers.fixtures import (  # noqa: F401 — fixtures, for all tests
    namespace,
    redis62_server,
    redis_cluster,
    redis_server,
    valkey_modules_server,
    valkey_server,
)

# Records are large and each example opens a database, which hypothesis thinks slow.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "default",
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=_SLOW,
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile(
    "nightly", settings.get_profile("default"), max_examples=2_000, stateful_step_count=60
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)
