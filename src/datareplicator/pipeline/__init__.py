"""The use cases: what command line, library and services ask for, each as one function.

Nothing is printed here. Long work tells a callback how far it is, and every output appears whole or not at all.
"""

from datareplicator.generate.control.settle import settle as settled
from datareplicator.pipeline.checks import validate
from datareplicator.pipeline.corruption import Corrupted, corrupt, repair, score_findings, write_page
from datareplicator.pipeline.generation import generate_settled, generate_study
from datareplicator.pipeline.learning import describe, explain, fit, fit_to_file, learned_again, notes, profile
from datareplicator.pipeline.progress import Progress, Step
from datareplicator.pipeline.replication import Outcome, generate, produce, replicate
from datareplicator.pipeline.vocabulary import Vocabulary, vocabulary

__all__ = [
    "Corrupted",
    "Outcome",
    "Progress",
    "Step",
    "Vocabulary",
    "corrupt",
    "describe",
    "explain",
    "fit",
    "fit_to_file",
    "generate",
    "generate_settled",
    "generate_study",
    "learned_again",
    "notes",
    "produce",
    "profile",
    "repair",
    "replicate",
    "score_findings",
    "settled",
    "validate",
    "vocabulary",
    "write_page",
]
