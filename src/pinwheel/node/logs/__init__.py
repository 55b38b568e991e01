# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The journal, sent elsewhere: `launch forward-logs`, which runs only where `settings.logging` says to whom."""
