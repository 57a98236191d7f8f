"""Fields of documents that a model does not declare, when it updates a record."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field, model_serializer, model_validator

from simstore.domain.repository import Repository
from simstore.testing.binding import Binding, OpenStore


class Document(BaseModel):
    """What others store: any field."""

    model_config = ConfigDict(extra="allow", ser_json_inf_nan="constants")
    __collection__: ClassVar[str] = "Undeclared"

    pk: str


class Known(BaseModel):
    """What the program knows of it."""

    __collection__: ClassVar[str] = "Undeclared"

    pk: str
    name: str = ""


class Renamed(Known):
    """It reads an older name of the field."""

    @model_validator(mode="before")
    @classmethod
    def _take_title(cls, values: Any) -> Any:
        if isinstance(values, dict) and "title" in values:
            return {**values, "name": values["title"]}
        return values


class Short(Known):
    """It stores the field under another name."""

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, values: Any) -> Any:
        return (
            {"name": values["n"], **values}
            if isinstance(values, dict) and "n" in values
            else values
        )

    @model_serializer
    def _write_short(self) -> dict[str, Any]:
        return {"pk": self.pk, "n": self.name}


class Hidden(Known):
    """It does not store a field that is declared, and computes one."""

    word: str = Field(default="", exclude=True)

    @computed_field  # type: ignore[prop-decorator]  # a property, as pydantic has it
    @property
    def length(self) -> int:
        return len(self.name)


def renames(repository: Repository[Any]) -> None:
    """Change the record by `update`."""
    repository.update("a", lambda item: item.model_copy(update={"name": "new"}))


def rename_many(repository: Repository[Any]) -> None:
    """Change it by `update_many`."""

    def change(item: Any) -> None:
        item.name = "new"

    assert repository.update_many(change) == 1


class UndeclaredContract(Binding):
    """An update keeps them, and its record is the one that is read afterwards."""

    @pytest.mark.parametrize("update", [renames, rename_many])
    @pytest.mark.parametrize(
        ("model", "stored", "kept"),
        [
            (Known, {"name": "old", "x": [1, {"y": None}]}, {"name": "new", "x": [1, {"y": None}]}),
            (Known, {"name": "old", "x": float("inf")}, {"name": "new", "x": float("inf")}),
            (Renamed, {"title": "old"}, {"name": "new"}),
            (Short, {"n": "old"}, {"n": "new"}),
            (Short, {"n": "old", "x": 1}, {"n": "new", "x": 1}),
            (Hidden, {"name": "old", "length": 3, "x": 1}, {"name": "new", "x": 1}),
        ],
        ids=lambda value: getattr(value, "__name__", None),
    )
    def test_what_was_updated_is_read(
        self,
        open_store: OpenStore,
        model: type[BaseModel],
        stored: dict[str, Any],
        kept: dict[str, Any],
        update: Callable[[Repository[Any]], None],
    ) -> None:
        with open_store() as theirs, open_store() as ours:
            documents, records = theirs.repository(Document), ours.repository(model)
            documents.save(Document(pk="a", **stored))
            update(records)
            found: Any = records.get("a")
            assert found.name == "new"
            assert documents.get("a").model_extra == kept
