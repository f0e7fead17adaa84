"""All tables, in one place for migrations: importing this module fills `Base.metadata`."""

from __future__ import annotations

from datareplicator.server.analyses import tables as analyses
from datareplicator.server.audit import tables as audit
from datareplicator.server.auth import tables as auth
from datareplicator.server.cache import tables as cache
from datareplicator.server.database import Base
from datareplicator.server.datasets import tables as datasets
from datareplicator.server.exports import tables as exports
from datareplicator.server.jobs import tables as jobs
from datareplicator.server.keys import tables as keys
from datareplicator.server.limits import tables as limits
from datareplicator.server.models import tables as models
from datareplicator.server.oplog import tables as oplog
from datareplicator.server.policies import tables as policies
from datareplicator.server.presets import tables as presets
from datareplicator.server.projects import tables as projects
from datareplicator.server.runs import tables as runs
from datareplicator.server.targets import tables as targets
from datareplicator.server.validations import tables as validations

MODULES = (
    auth,
    projects,
    keys,
    policies,
    limits,
    audit,
    oplog,
    jobs,
    cache,
    datasets,
    analyses,
    models,
    presets,
    runs,
    validations,
    exports,
    targets,
)
metadata = Base.metadata
