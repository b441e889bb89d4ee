"""Where files lie: a folder or a prefix on S3, and what a lakehouse keeps in it."""
