"""Options and arguments that several commands share, and what they stand for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from pydantic import BaseModel

from simstore.connection import connect
from simstore.domain.errors import BackendUnavailableError, InvalidArgumentError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.schema import near_name, schema_of
from simstore.domain.store import RECORD_MODELS, Store

DEFAULT_STORE = "sqlite:///simstore.db"

StoreOption = Annotated[
    str,
    typer.Option(
        "--store", metavar="URL", envvar="SIMSTORE_URL", help="The store, such as sqlite:///my.db."
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="MODULE:CLASS",
        help="A model of your own, such as my_simulation.models:Review; may be repeated.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead."),
]
CollectionArgument = Annotated[
    str, typer.Argument(metavar="COLLECTION", help="Such as agents, episodes, or a class's name.")
]
ConditionsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CONDITION",
        help="Such as tag=pilot 'age>=18' relationship=friend; quote what the shell would read.",
    ),
]


def _named_models() -> dict[str, type[BaseModel]]:
    """Each of the store's own repositories by its name, as in ``store.agents``."""
    names: dict[str, type[BaseModel]] = {}
    for name, attribute in vars(Store).items():
        if isinstance(attribute, property):
            returned = get_type_hints(attribute.fget)["return"]
            if getattr(returned, "__origin__", None) is Repository:
                (names[name],) = get_args(returned)
    return names


NAMED_MODELS = _named_models()


@contextmanager
def open_store(url: str, *, must_exist: bool = True) -> Iterator[Store]:
    """The store of `url`; one whose file is not there is no place to read from.

    Raises:
        BackendUnavailableError: there is no such file.
    """
    # The help is shown without them.
    from simstore.adapters import sqlite  # noqa: PLC0415
    from simstore.adapters.url import StoreURL  # noqa: PLC0415

    parsed = StoreURL(url)
    if must_exist and parsed.scheme == "sqlite" and not Path(sqlite.path_of(parsed)).exists():
        raise BackendUnavailableError(
            f"{parsed.shown}: there is no such file. Import something first, or name another "
            "store with --store or SIMSTORE_URL"
        )
    with connect(url) as store:
        yield store


def own_models(types: list[str] | None) -> list[type[BaseModel]]:
    """The classes that `types` name as ``module:Class``.

    Raises:
        InvalidArgumentError: there is no such module or class.
        ModelError: a class cannot be used as a record.
    """
    models = []
    for named in types or ():
        module, colon, name = named.partition(":")
        if not colon or not all(map(str.isidentifier, (*module.split("."), name))):
            raise InvalidArgumentError(f"--type {named}: write module:Class")
        if "" not in sys.path:
            sys.path.insert(0, "")  # a script of the user's has its own folder there
        try:
            model = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise InvalidArgumentError(f"--type {named}: {error}") from error
        except Exception as error:  # whatever the module does when it is imported
            raise InvalidArgumentError(
                f"--type {named}: the module cannot be imported: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(model, type):
            raise InvalidArgumentError(f"--type {named}: it is no class")
        schema_of(model)
        models.append(model)
    return models


def all_models(types: list[str] | None) -> list[type[BaseModel]]:
    """simstore's models, and those that `types` name."""
    return [*RECORD_MODELS, *own_models(types)]


def model_named(name: str, types: list[str] | None) -> type[BaseModel]:
    """The model of the collection that is called `name`, or whose repository is.

    Raises:
        InvalidArgumentError: there is none.
    """
    known: dict[str, type[BaseModel]] = dict(NAMED_MODELS)
    for model in all_models(types):
        known[schema_of(model).collection] = model
        known[model.__name__] = model
    found = known.get(name) or {key.casefold(): model for key, model in known.items()}.get(
        name.casefold()
    )
    if found is None:
        hint = near_name(name, known) or f"; there are {', '.join(NAMED_MODELS)}"
        raise InvalidArgumentError(f"there is no collection {name!r}{hint}")
    return found


def whole_pk(repository: Repository[Any], start: str) -> str:
    """The primary key that is `start`, or the only one that begins with it.

    Raises:
        NotFoundError: there is none.
        InvalidArgumentError: several begin with it.
    """
    if repository.exists(pk=start):
        return start
    found = repository.pks(field("pk").startswith(start), limit=3) if start else []
    if not found:
        raise NotFoundError(repository.collection, [start])
    if len(found) > 1:
        shown = ", ".join(found[:2])
        raise InvalidArgumentError(
            f"several records of {repository.collection} begin with {start!r}: {shown}"
            f"{', ...' if len(found) > 2 else ''}"
        )
    return found[0]
