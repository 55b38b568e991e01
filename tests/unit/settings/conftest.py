# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How property tests run: without a time limit for each example, which a busy machine would break."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
