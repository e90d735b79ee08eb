"""Inventories for officials and verifiers: lines, versions, changes, base year, files."""
