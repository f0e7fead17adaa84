"""Where blocks run: in this process or in a pool of processes, with the same result in the same order."""

from datareplicator.engine.job import Job
from datareplicator.engine.local import run_here
from datareplicator.engine.pool import run_in_pool
from datareplicator.engine.run import default_workers, run_job

__all__ = ["Job", "default_workers", "run_here", "run_in_pool", "run_job"]
