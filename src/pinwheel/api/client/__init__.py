# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client of the API: on the node as `apiclient`, on the workstation as `pinwheel node NAME`."""
