# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run an image as a virtual machine: QEMU, firmware with Secure Boot, disks, ports, console, the Docker client."""
