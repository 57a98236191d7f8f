"""Options and arguments that several commands share, and what they stand for."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer
from pydantic import BaseModel

from simstore.connection import connect
from simstore.domain.errors import BackendUnavailableError, InvalidArgumentError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.schema import near_name, schema_of
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.models import unknown_collections

T = TypeVar("T")

DEFAULT_STORE = "sqlite:///simstore.db"

_OTHER_STORE = ". Import something first, or name another store with --store or SIMSTORE_URL"

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


def at_least_one(limit: int | None) -> int | None:
    """Refuse a --limit that would show nothing."""
    if limit is not None and limit < 1:
        raise typer.BadParameter("must be at least 1")
    return limit


LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        "-n",
        metavar="N",
        callback=at_least_one,
        help="How many records; all in JSON, else 50.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write to this file; - is standard output."
    ),
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
def open_store(
    url: str, *, must_exist: bool = True, way_out: str = _OTHER_STORE
) -> Iterator[Store]:
    """The store of `url`; one whose file is not there is no place to read from.

    `way_out` ends the message of the error.

    Raises:
        BackendUnavailableError: there is no such file.
    """
    # The help is shown without them.
    from simstore.adapters import sqlite  # noqa: PLC0415
    from simstore.adapters.url import StoreURL  # noqa: PLC0415

    parsed = StoreURL(url)
    if must_exist and parsed.scheme == "sqlite" and not Path(sqlite.path_of(parsed)).exists():
        raise BackendUnavailableError(f"{parsed.shown}: there is no such file{way_out}")
    with connect(url) as store:
        yield store


def own_models(types: list[str] | None) -> list[type[BaseModel]]:
    """The classes that `types` name as ``module:Class``.

    Raises:
        InvalidArgumentError: there is no such module or class.
        ModelError: a class cannot be used as a record.
    """
    return [_own_model(named) for named in types or ()]


def _own_model(named: str) -> type[BaseModel]:
    path, colon, name = named.partition(":")
    if colon and path.endswith(".py"):
        dotted = ".".join(Path(path).with_suffix("").parts).lstrip("./")
        raise InvalidArgumentError(f"--type {named}: a module, not a file: {dotted}:{name}")
    if not colon or not all(map(str.isidentifier, (*path.split("."), name))):
        raise InvalidArgumentError(f"--type {named}: write module:Class")
    try:
        module = _imported(path)
    except ImportError as error:
        raise InvalidArgumentError(f"--type {named}: {error}") from error
    except Exception as error:  # whatever the module does when it is imported
        raise InvalidArgumentError(
            f"--type {named}: the module cannot be imported: {type(error).__name__}: {error}"
        ) from error
    model = getattr(module, name, None)
    if model is None:
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise InvalidArgumentError(
            f"--type {named}: {path} has no class {name!r}{near_name(name, classes)}"
        )
    if not isinstance(model, type):
        raise InvalidArgumentError(f"--type {named}: it is no class")
    schema_of(model)
    return model


def _imported(module: str) -> ModuleType:
    # A script of the user's has its own folder there.
    sys.path.insert(0, "")
    try:
        return import_module(module)
    finally:
        sys.path.remove("")


def all_models(types: list[str] | None) -> list[type[BaseModel]]:
    """simstore's models, and those that `types` name."""
    return [*RECORD_MODELS, *own_models(types)]


def model_named(
    name: str, types: list[str] | None, *, there: Sequence[str] = ()
) -> type[BaseModel]:
    """The model of the collection that is called `name`, or whose repository is.

    `there` are the collections that the store has: of those without a model it is said that one
    is wanted.

    Raises:
        InvalidArgumentError: there is none.
    """
    known: dict[str, type[BaseModel]] = dict(NAMED_MODELS)
    for model in all_models(types):
        known[schema_of(model).collection] = model
        known[model.__name__] = model
    found = known.get(name) or _in_any_case(known).get(name.casefold())
    if found is not None:
        return found
    if stored := _in_any_case({each: each for each in there}).get(name.casefold()):
        raise InvalidArgumentError(
            f"the store has records of {stored}; say --type MODULE:{stored}, the module in which "
            "their class is"
        )
    hint = near_name(name, known) or f"; there are {', '.join(NAMED_MODELS)}"
    raise InvalidArgumentError(f"there is no collection {name!r}{hint}")


def repository_named(store: Store, name: str, types: list[str] | None) -> Repository[Any]:
    """The repository of `store` that is called `name`, as `model_named`."""
    return store.repository(model_named(name, types, there=store.collections()))


def refuse_unknown(store: Store, models: Iterable[type[BaseModel]], way_out: str = "") -> None:
    """See that `store` has no collections of other models.

    Raises:
        InvalidArgumentError: it has; the message names them and what to say.
    """
    unknown = unknown_collections(store, models)
    if unknown:
        types = " ".join(f"--type MODULE:{name}" for name in unknown)
        raise InvalidArgumentError(
            f"{store.url} also has records of {', '.join(unknown)}; say {types}{way_out}"
        )


def _in_any_case(names: Mapping[str, T]) -> dict[str, T]:
    return {name.casefold(): value for name, value in names.items()}


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
