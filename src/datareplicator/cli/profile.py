"""`datareplicator profile`: what is in a study."""

from __future__ import annotations

from datareplicator.cli import options


def profile(source: options.Source, json: options.Json = False) -> None:
    """Describe a study: tables, columns, keys, relations and what is computed from what."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress

    with progress() as show:
        found = pipeline.profile(source, progress=show)
    emit(found.to_json() if json else found.to_text())
