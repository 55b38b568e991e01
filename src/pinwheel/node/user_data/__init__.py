# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where a node finds its user data: one module for each kind of place."""
