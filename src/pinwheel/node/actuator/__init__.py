# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The privileged half of the API: a fixed list of verbs on a socket that one user may open."""
