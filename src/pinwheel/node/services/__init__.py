# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The consumers of settings: one module each, and `table.SERVICES`, which says all that is known of them.

A consumer's module is imported when it has something to do, because each import costs a boot time: `table` has what
must be known of all of them.
"""
