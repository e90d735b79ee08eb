"""The two arithmetics of the room: fifty digits for sums, thirty-four for draws."""

from decimal import ROUND_HALF_EVEN, Context

WHOLE = Context(prec=50, rounding=ROUND_HALF_EVEN)
DRAWS = Context(prec=34, rounding=ROUND_HALF_EVEN)
