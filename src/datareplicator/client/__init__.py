"""The service from Python: a client with the verbs of the library."""

from datareplicator.client.service import Client, Project
from datareplicator.client.things import RemoteModel, RemoteRun, RemoteStudy, RemoteValidation
from datareplicator.client.wire import ServiceError

__all__ = ["Client", "Project", "RemoteModel", "RemoteRun", "RemoteStudy", "RemoteValidation", "ServiceError"]
