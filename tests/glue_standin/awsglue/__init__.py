"""A stand-in for the part of AWS Glue's library that the job scripts use, on local Spark and local folders."""
