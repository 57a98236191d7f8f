"""The pytest plugin: a store for each test."""

from importlib.metadata import entry_points

import pytest

pytest_plugins = ("pytester",)

TESTS = """
import simstore

def save_and_count(store):
    assert isinstance(store, simstore.adapters.base_store.StorageStore)
    store.agents.save(simstore.AgentProfile(first_name="Ada", last_name="Osei"))
    return store.agents.count()

def test_one(store):
    assert save_and_count(store) == 1

def test_two(store):
    print("the store is", store.url)
    assert save_and_count(store) == 1
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's tests; the plugin is loaded as its entry point would load it."""
    pytester.makepyfile(TESTS)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugins = () if project_has_entry_point() else ("-p", "simstore.pytest_plugin")
    return project.runpytest_inprocess("-s", "-p", "no:cacheprovider", *plugins, *arguments)


def project_has_entry_point() -> bool:
    return any(point.value == "simstore.pytest_plugin" for point in entry_points(group="pytest11"))


def test_each_test_has_an_empty_store_in_memory(project: pytest.Pytester) -> None:
    result = run(project)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*the store is memory://*"])


def test_store_url_chooses_another_backend(project: pytest.Pytester) -> None:
    result = run(project, "--store-url", "sqlite:///{tmp_path}/test.db")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*the store is sqlite:///*/test_two0/test.db"])


def test_another_url_is_opened_as_it_is_given(project: pytest.Pytester) -> None:
    result = run(project, "--store-url", f"sqlite:///{project.path}/shared.db")
    result.assert_outcomes(passed=1, failed=1)
    assert (project.path / "shared.db").exists()


def test_a_wrong_url_is_an_error_of_the_test(project: pytest.Pytester) -> None:
    result = run(project, "--store-url", "nonsense://x")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*StoreURLError*nonsense*"])


def test_the_option_is_in_the_help(project: pytest.Pytester) -> None:
    result = run(project, "--help")
    result.stdout.fnmatch_lines(["*--store-url=URL*"])


def test_the_store_is_closed_after_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        import simstore

        kept = []

        def test_one(store):
            kept.append(store)

        def test_two():
            with pytest.raises(simstore.StoreClosedError):
                kept[0].agents.count()
        """
    )
    run(pytester).assert_outcomes(passed=2)
