# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Whether this workstation can run a machine on its own processor."""

import os
import re
from pathlib import Path


def has_kvm(cpuinfo: Path = Path("/proc/cpuinfo"), device: Path = Path("/dev/kvm")) -> bool:
    """Tell whether KVM works here: /dev/kvm alone is not enough, it may exist where no guest can start."""
    if not os.access(device, os.R_OK | os.W_OK):
        return False
    flags = re.findall(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE)
    return any({"vmx", "svm"} & set(line.split()) for line in flags)
