"""Commands on records: list, show and find."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic_core import to_json

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, note, say, write_json, write_json_lines
from simstore.cli.options import (
    DEFAULT_STORE,
    NAMED_MODELS,
    CollectionArgument,
    ConditionsArgument,
    JsonOption,
    LimitOption,
    StoreOption,
    TypeOption,
    all_models,
    open_store,
    repository_named,
    whole_pk,
)
from simstore.cli.tables import SHOWN_RECORDS, print_table
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.record import dump_record
from simstore.domain.repository import Repository
from simstore.domain.schema import schema_of
from simstore.domain.store import Store
from simstore.services.rendering.visible import visible

SMALL_MODEL = 5
"""Of models with so many fields, a table shows all."""

FieldsOption = Annotated[
    str | None,
    typer.Option("--fields", metavar="A,B,...", help="Which fields to show, besides the pk."),
]


def list_(  # noqa: PLR0913 — the command's options
    collection: Annotated[
        str | None,
        typer.Argument(metavar="COLLECTION", help="Whose records; by default, what there is."),
    ] = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    fields: FieldsOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the collections, or the records of one."""
    with open_store(store) as opened:
        if collection is None:
            _list_collections(opened, type_, as_json=as_json)
            return
        repository = repository_named(opened, collection, type_)
        _print_records(repository, [], fields, None, limit, as_json=as_json)


def find(  # noqa: PLR0913 — the command's options
    collection: CollectionArgument,
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    fields: FieldsOption = None,
    order_by: Annotated[
        str | None,
        typer.Option("--order-by", metavar="FIELD", help="Sort by this field; -FIELD descends."),
    ] = None,
    limit: LimitOption = None,
    count: Annotated[bool, typer.Option("--count", help="Only say how many there are.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Only say how they would be found.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the records that fulfil conditions."""
    if count and explain:
        raise InvalidArgumentError("--count and --explain exclude each other")
    with open_store(store) as opened:
        repository = repository_named(opened, collection, type_)
        where = parse_conditions(repository.model, conditions)
        if explain:
            explanation = repository.explain(*where)
            if as_json:
                write_json(
                    {
                        "collection": explanation.collection,
                        "index": explanation.index,
                        "scan": explanation.scan,
                        "reads_all": explanation.reads_all,
                    }
                )
            else:
                say(str(explanation))
        elif count:
            found = repository.count(*where)
            if as_json:
                write_json({"count": found})
            else:
                say(str(found))
        else:
            _print_records(repository, where, fields, order_by, limit, as_json=as_json)


def show(
    collection: CollectionArgument,
    pk: Annotated[str, typer.Argument(metavar="PK", help="The key, or how it alone begins.")],
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record, whole."""
    with open_store(store) as opened:
        repository = repository_named(opened, collection, type_)
        record = repository.get(whole_pk(repository, pk))
    document = dump_record(record)
    if as_json:
        write_json(document)
    else:
        _show_document(repository.model, document)


def _list_collections(store: Store, types: list[str] | None, *, as_json: bool) -> None:
    names = {schema_of(model).collection: name for name, model in NAMED_MODELS.items()}
    known = {
        repository.collection: repository for repository in map(store.repository, all_models(types))
    }
    rows: list[dict[str, Any]] = [
        {
            "collection": collection,
            "name": names.get(collection),
            "records": known[collection].count() if collection in known else None,
        }
        for collection in store.collections()
    ]
    if as_json:
        write_json(rows)
        return
    if not rows:
        say(f"{store.url} holds no records")
        return
    print_table(
        ["name", "class", "records"],
        [
            (
                row["name"] or row["collection"],
                row["collection"],
                # Without its model, nobody can ask the store for them.
                "?" if row["records"] is None else row["records"],
            )
            for row in rows
        ],
        right=["records"],
    )
    unknown = [row["collection"] for row in rows if row["records"] is None]
    if unknown:
        options = " ".join(f"--type MODULE:{name}" for name in unknown)
        note(f"? is how many records there are of models of your own; to count them, say {options}")


def _print_records(  # noqa: PLR0913 — what the command was given
    repository: Repository[Any],
    where: Sequence[Any],
    fields: str | None,
    order_by: str | None,
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        records = (
            repository.iterate(*where)
            if order_by is None and limit is None
            else repository.find(*where, order_by=order_by, limit=limit)
        )
        chosen = _chosen_fields(repository.model, fields) if fields else None
        documents = (dump_record(record) for record in records)
        write_json_lines(
            {name: document.get(name) for name in chosen} if chosen else document
            for document in documents
        )
        return
    shown = limit or SHOWN_RECORDS
    found = repository.find(*where, order_by=order_by, limit=shown)
    columns = _chosen_fields(repository.model, fields)
    if found:
        rows = [dump_record(record) for record in found]
        if fields is None:
            columns = [name for name in columns if any(row.get(name) != "" for row in rows)]
        print_table(
            columns,
            ([_named(repository.model, name, row.get(name)) for name in columns] for row in rows),
            right=[name for name in columns if _is_number(repository.model, name)],
        )
    total = len(found) if len(found) < shown else repository.count(*where)
    rest = total - len(found)
    note(counted(total, "record") + (f", {rest} of them not shown: --limit" if rest else ""))


def _chosen_fields(model: type[BaseModel], fields: str | None) -> list[str]:
    """The pk and the fields asked for, or else those that are indexed."""
    schema = schema_of(model)
    if fields is None:
        chosen = _telling_fields(model)
    else:
        chosen = [name.strip() for name in fields.split(",") if name.strip()]
        for name in chosen:
            if "." in name:
                raise InvalidArgumentError(f"--fields {name}: only a record's own fields")
            schema.resolve(name)
    return ["pk", *(name for name in chosen if name != "pk")]


def _telling_fields(model: type[BaseModel]) -> list[str]:
    """The fields that a table shows: of a small model all but nested ones, else the indexed."""
    schema = schema_of(model)
    indexed = [path.path for path in schema.indexed if "." not in path.path]
    if indexed and len(model.model_fields) > SMALL_MODEL:
        return indexed
    return [name for name in model.model_fields if schema.resolve(name).shape.kinds]


def _is_number(model: type[BaseModel], name: str) -> bool:
    return model.model_fields[name].annotation in {int, float}


def _named(model: type[BaseModel], name: str, value: Any) -> Any:
    """A field's value for people: an enum's number by its name."""
    kind = model.model_fields[name].annotation if name in model.model_fields else None
    if isinstance(kind, type) and issubclass(kind, IntEnum) and value in list(kind):
        return kind(value).name
    return value


def _show_document(model: type[BaseModel], document: dict[str, Any]) -> None:
    width = max(map(len, document))
    for name, stored in document.items():
        value = _named(model, name, stored)
        text = value if isinstance(value, str) else _as_json(value)
        first, *others = visible(text).split("\n")
        say(f"{name:<{width}}  {first}")
        for line in others:
            say(f"{'':<{width}}  {line}")


def _as_json(value: Any) -> str:
    return to_json(value, indent=2, inf_nan_mode="constants").decode()
