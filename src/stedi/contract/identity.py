"""What makes two addresses, serial numbers or names the same: used by erasure, tombstones and search alike."""


def normalise_identity(value: str) -> str:
    """A value as it is compared: without blanks around it, in lower case."""
    return value.strip().lower()
