"""The synthetic twin of the public landing data."""
