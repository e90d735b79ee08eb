"""The city's plan on screen: measures board, yearly review, pathway and what-if."""
