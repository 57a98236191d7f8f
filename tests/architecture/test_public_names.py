"""The front door: what `from simstore import …` offers."""

import inspect

import simstore


def test_the_public_names_are_sorted_and_there() -> None:
    assert list(simstore.__all__) == sorted(simstore.__all__)
    assert [name for name in simstore.__all__ if not hasattr(simstore, name)] == []


def test_every_public_name_is_documented() -> None:
    bare = []
    for name in simstore.__all__:
        value = getattr(simstore, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            # Its own docstring: inspect.getdoc would take that of a base class.
            documented = bool(value.__doc__ and value.__doc__.strip())
        else:
            documented = name in (simstore.__doc__ or "")
        if not documented:
            bare.append(name)
    assert bare == []
