"""What every room shares: ids, time, periods, quantities, canonical bytes, refusals.

Pure, but for `database`, the one place where psycopg connections are opened and scoped to a city.
"""
