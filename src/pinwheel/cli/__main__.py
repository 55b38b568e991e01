# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`python -m pinwheel.cli`: what the bootstrap script runs."""

from pinwheel.cli.main import main

main()
