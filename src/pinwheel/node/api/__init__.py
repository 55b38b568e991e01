# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The half of the API that listens: it reads requests, says who may, and has no privilege of its own."""
