"""A whole store copied to another, whatever backends they have, and verified."""

from collections.abc import Sequence
from typing import Literal

from simstore.domain.errors import InvalidArgumentError, TransferError
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.findings import Collector
from simstore.services.models import Models, chosen_models, unknown_collections
from simstore.services.paging import Entry
from simstore.services.progress import OnProgress, Progress
from simstore.services.transfer.comparing import Tally
from simstore.services.transfer.open_views import open_view
from simstore.services.transfer.reading import Pair, RecordReader
from simstore.services.transfer.reports import CollectionCopy, CopyReport

OnConflict = Literal["error", "replace", "skip"]
OnUnreadable = Literal["error", "skip"]


def copy_store(  # noqa: PLR0913 — each is a decision of the caller's
    source: Store,
    target: Store,
    *,
    models: Models = RECORD_MODELS,
    on_conflict: OnConflict = "error",
    on_unreadable: OnUnreadable = "error",
    ignore_unknown: bool = False,
    progress: OnProgress | None = None,
) -> CopyReport:
    """Copy the records of `models` from `source` to `target`, and verify each collection.

    Records are read and written in pages of bounded size. Those that the target already holds,
    equal, are not written again: a copy that broke off goes on where it was when it is called
    again, at the cost of reading what it had copied. Nothing is ever deleted.

    `on_conflict` says what happens to a record that the target has with other contents:
    ``"error"`` ends the call before any such record is changed, ``"replace"`` replaces it,
    ``"skip"`` leaves it. `on_unreadable` says whether a record of the source that its model
    cannot read ends the call or is passed over; the report names it. Collections of the
    source that none of `models` is kept in are refused unless `ignore_unknown`.

    Records are copied as their models read them. Fields that a model does not declare, such as
    those of a newer version of it, are copied as they are, even if the model forbids or ignores
    them; but those of an embedded model only if it allows them, and those of a model that cannot
    be subclassed not at all. A record with an ``expire_time`` of its own gets that time anew when
    it is written. A ttl that was given to `save` cannot be read: its record does not expire in the
    target.

    The copy is meant for stores to which nobody else writes meanwhile. What somebody does
    write to the source is copied, or found by the verification.

    Raises:
        InvalidArgumentError: the stores are the same one, the source has collections of
            unknown models, or an argument is none of its values. Nothing was written.
        TransferError: records are in conflict, or the target does not hold what the source
            does after it was copied; `pks` names the first ones. What was copied stays.
        CorruptRecordError: a record of the source cannot be read. What was copied stays.
        InvalidRecordError: the target cannot hold a record exactly. What was copied stays.
        SaveManyError: the target's backend failed in a bulk write; it is chained.
        BackendError: a backend failed.
    """
    _check_choice("on_conflict", on_conflict, ("error", "replace", "skip"))
    _check_choice("on_unreadable", on_unreadable, ("error", "skip"))
    if _is_same(source, target):
        raise InvalidArgumentError(f"the source and the target are the same store, {source.url}")
    views = [open_view(model) for model in chosen_models(models)]
    # All of them, before anything is written: a class may be no model of records.
    readers = [
        (RecordReader(source.repository(view)), RecordReader(target.repository(view)))
        for view in views
    ]
    unknown = unknown_collections(source, views)
    if unknown and not ignore_unknown:
        raise InvalidArgumentError(
            f"the source also has records of {', '.join(unknown)}; name their models, or leave "
            "them out (ignore_unknown)"
        )
    copied = tuple(
        _Copier(mine, theirs, on_conflict, on_unreadable, progress).run()
        for mine, theirs in readers
    )
    return CopyReport(
        collections=copied,
        unknown_source=unknown,
        unknown_target=unknown_collections(target, views),
    )


class _Copier:
    """Copies one collection."""

    def __init__(
        self,
        source: RecordReader,
        target: RecordReader,
        on_conflict: OnConflict,
        on_unreadable: OnUnreadable,
        progress: OnProgress | None,
    ) -> None:
        self._source, self._target = source, target
        self._on_conflict, self._on_unreadable = on_conflict, on_unreadable
        self._progress = progress
        self._collection = source.repository.collection
        self._copied = self._unchanged = self._replaced = self._skipped = 0

    def run(self) -> CollectionCopy:
        """Copy, then verify."""
        # What is not there need not be looked for: of a new copy, nothing is.
        look = self._target.repository.exists()
        total = self._source.repository.count() if self._progress else 0
        done = 0
        for page in self._source.pages():
            self._copy(page, look=look)
            done += len(page)
            if self._progress:
                self._progress(Progress("copy", self._collection, done, total))
        tally = Tally(self._source, self._target)
        self._verify(tally)
        return CollectionCopy(
            collection=self._collection,
            copied=self._copied,
            unchanged=self._unchanged,
            replaced=self._replaced,
            skipped=self._skipped,
            comparison=tally.comparison(),
        )

    def _copy(self, page: Sequence[Entry], *, look: bool) -> None:
        for entry in page:
            if entry.error is not None and self._on_unreadable == "error":
                raise entry.error
        readable = [entry for entry in page if entry.error is None]
        held: dict[str, Entry] = {}
        if look and readable:
            held = {entry.pk: entry for entry in self._target.read([e.pk for e in readable])}
        new: list[Entry] = []
        conflicts: list[Entry] = []
        for entry in readable:
            pair = Pair(entry.pk, entry, held.get(entry.pk))
            if pair.right is None:
                new.append(entry)
            elif not pair.same:
                conflicts.append(entry)
        if conflicts and self._on_conflict == "error":
            raise TransferError(
                self._collection,
                [entry.pk for entry in conflicts],
                len(conflicts),
                "the target has other contents; replace them or skip them (on_conflict)",
            )
        replaced = conflicts if self._on_conflict == "replace" else []
        if new or replaced:
            self._target.repository.save_many(entry.item for entry in (*new, *replaced))
        self._copied += len(new)
        self._unchanged += len(readable) - len(new) - len(conflicts)
        self._replaced += len(replaced)
        self._skipped += len(conflicts) - len(replaced)

    def _verify(self, tally: Tally) -> None:
        missing = Collector[str]()
        for pair in tally.pairs("verify", self._progress):
            if pair.left is None or pair.same or self._is_tolerated(pair):
                continue
            missing.add(pair.pk)
        found = missing.findings()
        if found.count:
            raise TransferError(
                self._collection,
                found.first,
                found.count,
                "not in the target as in the source, after they were copied; if others write to "
                "the stores, copy again: only what differs is written",
            )

    def _is_tolerated(self, pair: Pair) -> bool:
        """Whether the target need not hold it as the source does."""
        if pair.left is not None and pair.left.error is not None:
            return self._on_unreadable == "skip"
        return pair.right is not None and self._on_conflict == "skip"


def _is_same(source: Store, target: Store) -> bool:
    # A URL that names no place, such as memory://, is that of a store of its own. One database
    # under two URLs is not noticed, and does no harm: nothing differs, so nothing is written.
    place = source.url.partition("://")[2].partition("?")[0]
    return source is target or (bool(place) and source.url == target.url)


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InvalidArgumentError(f"{name} is {' or '.join(map(repr, choices))}, not {value!r}")
