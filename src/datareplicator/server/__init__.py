"""The web service: accounts, projects, jobs and everything of the library behind an HTTP interface.

Installed by the extra `server`. Nothing here knows statistics: the work is done by the rooms below.
"""

from datareplicator.server.oplog.filters import guard

guard()
