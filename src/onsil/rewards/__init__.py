"""Programmes, evidence, caps, budgets and awards, shared by all greens."""
