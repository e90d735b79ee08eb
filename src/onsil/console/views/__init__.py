"""Screens of officials: doors without rules."""
