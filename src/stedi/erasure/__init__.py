"""Erases people for good: `erase.py` is what is asked for, and the order in which the other modules do it."""
