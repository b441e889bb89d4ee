"""Holds tables against their Great Expectations suites."""
