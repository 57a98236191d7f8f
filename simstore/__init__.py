"""Storage for LLM social simulations: pure pydantic models behind repositories, on any backend.

::

    import simstore

    with simstore.connect("memory://") as store:
        ada = simstore.AgentProfile(first_name="Ada", last_name="Lovelace", age=36)
        store.agents.save(ada)
        assert store.agents.get(ada.pk) == ada
        assert store.agents.find(simstore.field("age") >= 18, first_name="Ada") == [ada]

Importing it connects to nothing.
"""

from simstore.connection import connect
from simstore.domain.broker import (
    AsyncConsumer,
    AsyncSubscription,
    Consumer,
    MessageBroker,
    Subscription,
)
from simstore.domain.channels import Channel, Delivery, Received
from simstore.domain.episodes import (
    AnnotationForEpisode,
    Annotator,
    EpisodeLog,
    NonStreamingSimulationStatus,
)
from simstore.domain.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    BenchmarkError,
    ConflictError,
    CorruptMessageError,
    CorruptRecordError,
    DuplicateError,
    EvaluationError,
    ImportFaultsError,
    ImportFileError,
    InvalidArgumentError,
    InvalidPkError,
    InvalidRecordError,
    LeaseTimeoutError,
    MissingDependencyError,
    ModelError,
    MultipleFoundError,
    NotBoundError,
    NotFoundError,
    NotHeldError,
    QueryError,
    RewardsUnavailableError,
    SaveManyError,
    SimstoreError,
    StoreClosedError,
    StoreURLError,
    TransactionError,
    TransferError,
    UnsupportedError,
    WrongModelError,
)
from simstore.domain.evaluation import CustomEvaluationDimension, CustomEvaluationDimensionList
from simstore.domain.fields import FullText, Indexed, new_pk
from simstore.domain.messaging import (
    MatchingInWaitingRoom,
    MessageTransaction,
    SessionTransaction,
)
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.domain.query import Condition, field
from simstore.domain.record import ExpiringRecord, Record
from simstore.domain.repository import Explanation, Repository, TransactionRepository
from simstore.domain.store import Capability, Store, Transaction

__all__ = [
    "AgentProfile",
    "AnnotationForEpisode",
    "Annotator",
    "AsyncConsumer",
    "AsyncSubscription",
    "BackendError",
    "BackendTimeoutError",
    "BackendUnavailableError",
    "BenchmarkError",
    "Capability",
    "Channel",
    "Condition",
    "ConflictError",
    "Consumer",
    "CorruptMessageError",
    "CorruptRecordError",
    "CustomEvaluationDimension",
    "CustomEvaluationDimensionList",
    "Delivery",
    "DuplicateError",
    "EnvAgentComboStorage",
    "EnvironmentList",
    "EnvironmentProfile",
    "EpisodeLog",
    "EvaluationError",
    "ExpiringRecord",
    "Explanation",
    "FullText",
    "ImportFaultsError",
    "ImportFileError",
    "Indexed",
    "InvalidArgumentError",
    "InvalidPkError",
    "InvalidRecordError",
    "LeaseTimeoutError",
    "MatchingInWaitingRoom",
    "MessageBroker",
    "MessageTransaction",
    "MissingDependencyError",
    "ModelError",
    "MultipleFoundError",
    "NonStreamingSimulationStatus",
    "NotBoundError",
    "NotFoundError",
    "NotHeldError",
    "QueryError",
    "Received",
    "Record",
    "RelationshipProfile",
    "RelationshipType",
    "Repository",
    "RewardsUnavailableError",
    "SaveManyError",
    "SessionTransaction",
    "SimstoreError",
    "Store",
    "StoreClosedError",
    "StoreURLError",
    "Subscription",
    "Transaction",
    "TransactionError",
    "TransactionRepository",
    "TransferError",
    "UnsupportedError",
    "WrongModelError",
    "connect",
    "field",
    "new_pk",
]
