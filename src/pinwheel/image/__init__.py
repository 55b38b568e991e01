# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From locked packages to a signed disk image.

The way of a build: `package_lock` names the packages, `fetch` gets them, `toolbox` holds the tools, `tree` has mkosi
install a whole Debian, `prune` keeps of it what the variant declares, `disk` seals that as erofs with dm-verity, `uki`
binds kernel, initrd and root hash into one signed file, and `build` runs these steps, each cached by what goes into it.
"""
