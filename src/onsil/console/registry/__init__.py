"""The officials' registry desk: units, what waits for a second person, losses, labels, sums."""
