"""The ports of a store and its transactions: every repository, by name and by model."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self, TypeVar

from pydantic import BaseModel

from simstore.domain.broker import MessageBroker
from simstore.domain.episodes import (
    AnnotationForEpisode,
    Annotator,
    EpisodeLog,
    NonStreamingSimulationStatus,
)
from simstore.domain.evaluation import CustomEvaluationDimension, CustomEvaluationDimensionList
from simstore.domain.maintenance import Inspection
from simstore.domain.messaging import MatchingInWaitingRoom, SessionTransaction
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    RelationshipProfile,
)
from simstore.domain.repository import Repository, TransactionRepository

M = TypeVar("M", bound=BaseModel)

RECORD_MODELS: tuple[type[BaseModel], ...] = (
    AgentProfile,
    EnvironmentProfile,
    RelationshipProfile,
    EnvironmentList,
    EpisodeLog,
    AnnotationForEpisode,
    Annotator,
    EnvAgentComboStorage,
    NonStreamingSimulationStatus,
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    SessionTransaction,
    MatchingInWaitingRoom,
)
"""The models of Sotopia's records, in the order of the store's properties for them."""


class Capability(StrEnum):
    """What a backend may lack; everything else in the ports, every backend does."""

    PERSISTENCE = "records outlive the process that wrote them"
    MULTI_PROCESS = "several processes may use the database at once"
    WIDE_TRANSACTIONS = "a transaction may span any records"
    ATOMIC_SAVE_MANY = "save_many stores all of its records or none"
    MESSAGES = "it has a message broker"


class Transaction(Protocol):
    """Writes to several records, of one model or many, that happen all or not at all.

    Get it from `Store.transaction`. It offers each repository's save, add, delete and get,
    under the names of the store's. It is optimistic: if a record that it read, or found to be
    absent, was written by somebody else before it ends, it raises ConflictError and nothing
    is written. An exception in its block discards it. It has no queries; and what is written
    through the store's own repositories meanwhile is no part of it.
    """

    def repository(self, model: type[M]) -> TransactionRepository[M]:
        """The part of this transaction for the records of `model`."""
        ...

    @property
    def agents(self) -> TransactionRepository[AgentProfile]:
        return self.repository(AgentProfile)

    @property
    def environments(self) -> TransactionRepository[EnvironmentProfile]:
        return self.repository(EnvironmentProfile)

    @property
    def relationships(self) -> TransactionRepository[RelationshipProfile]:
        return self.repository(RelationshipProfile)

    @property
    def environment_lists(self) -> TransactionRepository[EnvironmentList]:
        return self.repository(EnvironmentList)

    @property
    def episodes(self) -> TransactionRepository[EpisodeLog]:
        return self.repository(EpisodeLog)

    @property
    def annotations(self) -> TransactionRepository[AnnotationForEpisode]:
        return self.repository(AnnotationForEpisode)

    @property
    def annotators(self) -> TransactionRepository[Annotator]:
        return self.repository(Annotator)

    @property
    def env_agent_combos(self) -> TransactionRepository[EnvAgentComboStorage]:
        return self.repository(EnvAgentComboStorage)

    @property
    def simulation_statuses(self) -> TransactionRepository[NonStreamingSimulationStatus]:
        return self.repository(NonStreamingSimulationStatus)

    @property
    def dimensions(self) -> TransactionRepository[CustomEvaluationDimension]:
        return self.repository(CustomEvaluationDimension)

    @property
    def dimension_lists(self) -> TransactionRepository[CustomEvaluationDimensionList]:
        return self.repository(CustomEvaluationDimensionList)

    @property
    def sessions(self) -> TransactionRepository[SessionTransaction]:
        return self.repository(SessionTransaction)

    @property
    def waiting_rooms(self) -> TransactionRepository[MatchingInWaitingRoom]:
        return self.repository(MatchingInWaitingRoom)


class Store(Protocol):
    """Every repository of one database. Open one with `simstore.connect`.

    It may be shared by threads. It is a context manager that closes it.
    """

    @property
    def url(self) -> str:
        """Where the store is, without its password."""
        ...

    @property
    def lacks(self) -> Mapping[Capability, str]:
        """The capabilities that this store does not have, each with the reason."""
        ...

    def repository(self, model: type[M]) -> Repository[M]:
        """The records of `model`: any pydantic model with a field ``pk: str``.

        They are kept under the class's name, or its ``__collection__``. A subclass of the same
        name that only adds methods has the same records, as instances of its own.

        Raises:
            ModelError: the class cannot be used, or another one has its name or its keys.
        """
        ...

    @property
    def broker(self) -> MessageBroker:
        """Channels of messages between agents, front ends and services.

        Raises:
            UnsupportedError: the store lacks `Capability.MESSAGES`.
        """
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """``with store.transaction() as tx:`` — what is written through `tx`, all or nothing."""
        ...

    def collections(self) -> list[str]:
        """The names of the collections that hold a record, sorted.

        Those of models that this program does not know are among them; but where the database is
        another program's, whose keys do not say what they are, only those of models whose
        repository was asked for, and Sotopia's.
        """
        ...

    def inspect(self) -> Inspection:
        """What the backend says of itself: versions, settings, and those that lose records."""
        ...

    def close(self) -> None:
        """Release the backend's resources; later calls raise StoreClosedError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

    @property
    def agents(self) -> Repository[AgentProfile]:
        return self.repository(AgentProfile)

    @property
    def environments(self) -> Repository[EnvironmentProfile]:
        return self.repository(EnvironmentProfile)

    @property
    def relationships(self) -> Repository[RelationshipProfile]:
        return self.repository(RelationshipProfile)

    @property
    def environment_lists(self) -> Repository[EnvironmentList]:
        return self.repository(EnvironmentList)

    @property
    def episodes(self) -> Repository[EpisodeLog]:
        return self.repository(EpisodeLog)

    @property
    def annotations(self) -> Repository[AnnotationForEpisode]:
        return self.repository(AnnotationForEpisode)

    @property
    def annotators(self) -> Repository[Annotator]:
        return self.repository(Annotator)

    @property
    def env_agent_combos(self) -> Repository[EnvAgentComboStorage]:
        return self.repository(EnvAgentComboStorage)

    @property
    def simulation_statuses(self) -> Repository[NonStreamingSimulationStatus]:
        return self.repository(NonStreamingSimulationStatus)

    @property
    def dimensions(self) -> Repository[CustomEvaluationDimension]:
        return self.repository(CustomEvaluationDimension)

    @property
    def dimension_lists(self) -> Repository[CustomEvaluationDimensionList]:
        return self.repository(CustomEvaluationDimensionList)

    @property
    def sessions(self) -> Repository[SessionTransaction]:
        return self.repository(SessionTransaction)

    @property
    def waiting_rooms(self) -> Repository[MatchingInWaitingRoom]:
        return self.repository(MatchingInWaitingRoom)
