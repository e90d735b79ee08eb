"""Factors, methodologies, quantification, claims, projects, credits."""
