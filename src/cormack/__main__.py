"""`python -m cormack`."""

import sys

from cormack.cli.main import main

sys.exit(main())
