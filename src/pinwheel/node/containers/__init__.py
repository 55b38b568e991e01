# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Host containers and bootstrap containers: images pulled without a daemon, containers run by runc, kept by systemd.

Nothing here depends on the workload engine or its runtime, and nothing here stays: a container's first process is a
child of systemd's, and what pulled its image has left before. docs/host-containers.md is the page for users.
"""
