# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Pinwheel: a minimal, verified, read-only Linux that runs Docker containers and nothing else."""

__version__ = "0.1.0"
