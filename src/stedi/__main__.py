"""`python -m stedi` is the command line."""

import sys

from stedi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
