"""A run, from its beginning to its publication, and reading what is published."""
