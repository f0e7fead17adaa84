"""Findings: values of many tests over visits, learned as one hierarchical latent normal model."""

from .fit import fit_findings
from .grid import Observations
from .model import Cell, Effects, FindingsModel

__all__ = ["Cell", "Effects", "FindingsModel", "Observations", "fit_findings"]
