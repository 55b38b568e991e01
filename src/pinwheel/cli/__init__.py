# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The command line: one module for each verb, thin; what they do lives in the packages below."""
