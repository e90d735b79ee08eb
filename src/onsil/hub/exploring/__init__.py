"""Exploring the hub: what there is for somebody to see, questions, their calls and answers."""
