"""Reading and writing studies: one module a format, one registry, and outputs that appear whole or not at all."""

from datareplicator.formats.layout import TableLayout
from datareplicator.formats.reading import read_study
from datareplicator.formats.registry import FORMATS
from datareplicator.formats.writing import StudyWriter, open_writer, write_study

__all__ = ["FORMATS", "StudyWriter", "TableLayout", "open_writer", "read_study", "write_study"]
