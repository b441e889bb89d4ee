"""From the files of a source to the landing tables."""
