# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boot Pinwheel and what a user would take in its place, side by side, and compare what one gets and what it costs.

The alternative is stock Debian 13 as its official cloud image, with cloud-init and docker.io
(`bench.boot.stock_definition`). Both boot in one run, by turns, in virtual machines of the same settings: QEMU, machine
type, firmware, processors, memory, disk bus, network. Every clock is the workstation's and starts when QEMU is started.
Every boot is a first boot, from a fresh copy of the image on a disk larger than it: both have keys, identities and file
systems to make.

Where the way of measuring favours somebody, it is meant to favour stock:

- Its engine counts as ready when `GET /_ping` answers, asked from inside; Pinwheel's when the node says `ready`, which
  wants besides that the network is up and no unit has failed. The time of the first answer over TLS is given for
  Pinwheel, too.
- Its image has no boot menu delay (Debian's has 5 s), none of the packages that docker.io recommends but for its
  client, and no early serial console.

Both boot with Secure Boot on, in the same firmware: stock with Microsoft's keys, which vouch for Debian's shim.

What favours Pinwheel:

- Stock's first boot compiles 95 AppArmor profiles, as that of Debian's own image does; Pinwheel has none to compile.
  With `apparmor.service` taken out, stock used about a sixth less processor time under emulation.
- Its first container is started over the network by the workstation as soon as the API answers, because that is how
  one uses it; stock starts its own by cloud-init's `runcmd`, because that is how one uses *it*, and cloud-init comes to
  that late. The time to engine ready is free of this.

Times are worth something on a workstation that does nothing else: the load is written down, and the processor time of
each boot says how much of a difference is work, and how much is waiting for others.
"""
