# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The history of the settings: every commit is a whole new generation, in a file of its own."""
