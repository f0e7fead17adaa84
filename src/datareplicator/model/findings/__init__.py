"""Findings: values of many tests over visits, learned as one hierarchical latent normal model."""

from datareplicator.model.findings.fit import fit_findings
from datareplicator.model.findings.grid import Observations
from datareplicator.model.findings.model import Cell, Effects, FindingsModel

__all__ = ["Cell", "Effects", "FindingsModel", "Observations", "fit_findings"]
