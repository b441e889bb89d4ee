"""What the course asks for: its rubric, a submission, the Glue job scripts."""
