"""Describing a study: what was found in it, for people and as JSON."""

from datareplicator.profile.description import Profile
from datareplicator.profile.explanation import Explanation, explain
from datareplicator.profile.making import profile

__all__ = ["Explanation", "Profile", "explain", "profile"]
