# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a node can be told: the typed settings, read from user data, with every mistake named and placed.

Pure: no file, socket or clock is touched here, so that the node, its API and the workstation share it.
"""
