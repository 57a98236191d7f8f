"""Running the kit on what is broken on purpose, to see that it says so."""

import pytest
from hypothesis import HealthCheck, Phase, settings

SETTINGS = settings(
    max_examples=1_500,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""For a machine that is to find a fault."""

SHORT = settings(SETTINGS, max_examples=15)
"""For one that is to find none."""


def broken_rules(pytester: pytest.Pytester, binding: str, rules: set[str]) -> set[str]:
    """Which of `rules`, the names of tests, fail in a file of this source."""
    pytester.makepyfile(binding)
    expression = " or ".join(sorted(rules))
    record = pytester.inline_run("-q", "-p", "no:cacheprovider", "--tb=no", "-k", expression)
    ran = {_rule(report.nodeid) for report in record.getreports("pytest_runtest_logreport")}
    assert rules <= ran, f"no such rules: {rules - ran}"
    return {_rule(report.nodeid) for report in record.getfailures()}


def _rule(nodeid: str) -> str:
    return nodeid.rpartition("::")[2].partition("[")[0]
