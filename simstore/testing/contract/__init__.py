"""The contracts, one subject a file; a test is one rule, and its name says which."""

from simstore.testing.contract.collections import CollectionsContract
from simstore.testing.contract.concurrency import ConcurrencyContract
from simstore.testing.contract.definitions import DefinitionContract
from simstore.testing.contract.deleting import DeletingContract
from simstore.testing.contract.documents import DocumentContract
from simstore.testing.contract.exactness import ExactnessContract
from simstore.testing.contract.expiry import ExpiryContract
from simstore.testing.contract.explaining import ExplainingContract
from simstore.testing.contract.failing import FailingContract
from simstore.testing.contract.finding import FindingContract
from simstore.testing.contract.isolation import IsolationContract
from simstore.testing.contract.keys import KeyContract
from simstore.testing.contract.keywords import KeywordContract
from simstore.testing.contract.maintenance import MaintenanceContract
from simstore.testing.contract.many import ManyContract
from simstore.testing.contract.messages import BrokerContract
from simstore.testing.contract.ordering import OrderingContract
from simstore.testing.contract.outgrown import OutgrownContract
from simstore.testing.contract.own_models import OwnModelContract
from simstore.testing.contract.processes import ProcessContract
from simstore.testing.contract.projecting import ProjectingContract
from simstore.testing.contract.reading import ReadingContract
from simstore.testing.contract.refusals import RefusalContract
from simstore.testing.contract.saving import SavingContract
from simstore.testing.contract.stores import StoresContract
from simstore.testing.contract.transactions import TransactionContract
from simstore.testing.contract.undeclared import UndeclaredContract
from simstore.testing.contract.updating import UpdatingContract
from simstore.testing.contract.updating_many import UpdatingManyContract


class RepositoryContract(
    SavingContract,
    UpdatingContract,
    UpdatingManyContract,
    UndeclaredContract,
    ReadingContract,
    ProjectingContract,
    FindingContract,
    KeyContract,
    KeywordContract,
    OrderingContract,
    ExactnessContract,
    DeletingContract,
    ExplainingContract,
    IsolationContract,
    ExpiryContract,
    RefusalContract,
    FailingContract,
    OwnModelContract,
    DocumentContract,
    DefinitionContract,
    OutgrownContract,
    MaintenanceContract,
    ManyContract,
):
    """Every rule about the records of one model."""


class StoreContract(
    StoresContract, CollectionsContract, TransactionContract, ConcurrencyContract, ProcessContract
):
    """Every rule about stores: their repositories, transactions, and several users at once."""


__all__ = ["BrokerContract", "RepositoryContract", "StoreContract"]
