"""From a checkout, the Training Replicator by the name that its feature document uses."""

from datareplicator.training_replicator import *  # noqa: F403
