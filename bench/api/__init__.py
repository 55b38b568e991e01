# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Measure the settings API: how long it takes to answer, to commit and to come back from idle, and what it costs.

It runs on the workstation's own processor, not in a virtual machine: under emulation every figure would be the
emulator's. All else is the image's: root, launcher, compiled modules, users and modes are those of the built image,
unpacked, in namespaces of their own (`bench.api.holder`). `launch boot` puts the settings in place as it does on a
node. Generations go to a real disk, /run is memory. The holder stands in for systemd's sockets.

Every figure has a floor beside it, measured in the same run and by turns:

- answers: a bare ASGI application that says hello, on uvicorn, in the same launcher, on the same kind of socket;
- changes: write, fsync and rename of the same bytes, in the directory of the generations;
- the first answer from idle: a start of the same launcher with an entry point that does nothing.

What differs from a node, and in whose favour:

- systemd's own work to start a service (some milliseconds) is in neither of the times from idle, nor are the units'
  sandboxes;
- no change of the bench restarts a unit: it is the API that is measured, and not what it restarts;
- nobody reads what would go to the journal.
"""
