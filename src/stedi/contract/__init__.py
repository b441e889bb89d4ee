"""What everybody agrees on: tables, policies, SQL, suites, errors, places. It imports nothing else of ours."""
