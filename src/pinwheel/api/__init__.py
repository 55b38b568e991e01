# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The contract of the settings API: what may be asked, by whom, and what is answered. Node and clients build on it."""
