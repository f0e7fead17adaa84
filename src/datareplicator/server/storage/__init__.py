"""Where the service keeps files: a local folder, or S3, Google or Azure storage by URL."""

from datareplicator.server.storage.store import Missing, Storage, open_storage
from datareplicator.server.storage.upload import publish_folder

__all__ = ["Missing", "Storage", "open_storage", "publish_folder"]
