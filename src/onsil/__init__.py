"""Onsil: a city's carbon-neutrality programme as one closed, provable loop."""

__version__ = "0.1.0"
