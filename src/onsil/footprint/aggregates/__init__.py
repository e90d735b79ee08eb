"""Whole fleets from the lake: what thousands of meters say, added up in whole numbers.

Written once in Ibis and run by DuckDB in this process, or by Sail or a Spark cluster, by one URL.
Ibis is known to this folder alone.
"""

from onsil.footprint.aggregates.fleet import FleetSite, quantify_fleet, recheck_fleet

__all__ = ["FleetSite", "quantify_fleet", "recheck_fleet"]
