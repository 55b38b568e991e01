# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A node on one screen of a terminal."""
