# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What runs inside the OS. Each entry point (`boot`, `status`) is a module with `main() -> int` for the launcher.

A start of Python is on the boot's critical path: modules import what they need when they need it, and measure.
"""
