"""A pytest plugin: the fixture ``store``, an empty store in memory for each test.

``pytest --store-url URL`` runs the same tests on another backend. ``{tmp_path}`` in the URL
stands for the test's own temporary folder; without it, all tests share the database of the URL.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simstore.domain.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--store-url``."""
    parser.getgroup("simstore").addoption(
        "--store-url",
        default="memory://",
        metavar="URL",
        help="what the fixture 'store' opens, such as 'sqlite:///{tmp_path}/test.db' "
        "(default: memory://, a new one for each test)",
    )


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator["Store"]:
    """A simstore Store: empty and in memory, or what --store-url opens.

    {tmp_path} in that URL is the test's own folder; without it, tests share a database.
    """
    from simstore.connection import connect  # noqa: PLC0415 — most test runs never ask for it

    url: str = request.config.getoption("--store-url")
    if "{tmp_path}" in url:
        url = url.replace("{tmp_path}", str(request.getfixturevalue("tmp_path")))
    if "{" in url:
        raise pytest.UsageError(f"--store-url {url}: only {{tmp_path}} may stand in braces")
    with connect(url) as opened:
        yield opened
