"""A lakehouse on AWS: its bucket, Glue databases and Athena workgroup, what they cost, and who may use them."""
