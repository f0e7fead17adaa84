"""All tables, in one place for migrations: importing this module fills `Base.metadata`."""

from __future__ import annotations

from datareplicator.server.audit import tables as audit
from datareplicator.server.auth import tables as auth
from datareplicator.server.database import Base
from datareplicator.server.keys import tables as keys
from datareplicator.server.limits import tables as limits
from datareplicator.server.oplog import tables as oplog
from datareplicator.server.policies import tables as policies
from datareplicator.server.projects import tables as projects

MODULES = (auth, projects, keys, policies, limits, audit, oplog)
metadata = Base.metadata
