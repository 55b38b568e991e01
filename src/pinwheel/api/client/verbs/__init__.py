# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs, by what they are about; each module has its verbs in `COMMANDS`."""
