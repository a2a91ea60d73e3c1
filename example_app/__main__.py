"""Run the whole service: ``python -m example_app``."""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()  # before anything below keeps an unpatched lock or socket

import sys

from .service import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
