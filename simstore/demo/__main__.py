"""Runs the demo."""

import sys

from simstore.demo.command import main

sys.exit(main())
