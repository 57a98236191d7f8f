"""The contract of a store's message broker, one subject a file."""

from simstore.testing.contract.messages.arguments import MessageArgumentContract
from simstore.testing.contract.messages.asynchronous import (
    AsyncSubscribingContract,
    AsyncWaitingContract,
)
from simstore.testing.contract.messages.asynchronous_groups import AsyncGroupContract
from simstore.testing.contract.messages.base import BrokerBinding
from simstore.testing.contract.messages.dead_letters import DeadLetterContract
from simstore.testing.contract.messages.exact_messages import ExactMessageContract
from simstore.testing.contract.messages.forgetting import ForgettingContract
from simstore.testing.contract.messages.groups import GroupContract
from simstore.testing.contract.messages.history import HistoryContract
from simstore.testing.contract.messages.message_types import (
    CorruptMessageContract,
    MessageTypeContract,
)
from simstore.testing.contract.messages.publishing import PublishingContract
from simstore.testing.contract.messages.retrying import RetryingContract
from simstore.testing.contract.messages.stores_of_messages import MessageStoreContract
from simstore.testing.contract.messages.subscribing import SubscribingContract
from simstore.testing.contract.messages.together import TogetherContract
from simstore.testing.contract.messages.trimming import TrimmingContract
from simstore.testing.contract.messages.waiting import WaitingContract


class BrokerContract(
    PublishingContract,
    ExactMessageContract,
    MessageTypeContract,
    CorruptMessageContract,
    SubscribingContract,
    WaitingContract,
    HistoryContract,
    TrimmingContract,
    ForgettingContract,
    GroupContract,
    RetryingContract,
    DeadLetterContract,
    AsyncSubscribingContract,
    AsyncWaitingContract,
    AsyncGroupContract,
    TogetherContract,
    MessageArgumentContract,
    MessageStoreContract,
):
    """Every rule about channels; skipped for a store that lacks `Capability.MESSAGES`."""


__all__ = ["BrokerBinding", "BrokerContract"]
