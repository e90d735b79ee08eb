"""Measured savings: weather-normalised baselines, their gates and their uncertainty. Pure."""

from onsil.footprint.savings.gates import Gates, Statistics, statistics_of
from onsil.footprint.savings.measured import MeasuredSavings, measure_savings
from onsil.footprint.savings.models import MODEL_KINDS, Fit, Observations, fit_model
from onsil.footprint.savings.uncertainty import (
    autocorrelation,
    fractional_savings_uncertainty,
    t_quantile,
)

__all__ = [
    "MODEL_KINDS",
    "Fit",
    "Gates",
    "MeasuredSavings",
    "Observations",
    "Statistics",
    "autocorrelation",
    "fit_model",
    "fractional_savings_uncertainty",
    "measure_savings",
    "statistics_of",
    "t_quantile",
]
