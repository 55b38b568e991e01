# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What one boot gave."""

from dataclasses import dataclass

from bench.boot.observe import Observation


@dataclass(frozen=True)
class Boot:
    """The figures of one boot; seconds since QEMU was started."""

    engine_ready: float
    first_container: float
    """When the first container's output arrived."""
    processor_time: float
    """Processor seconds that QEMU had used by then, all its threads together: unlike the times, it hardly changes when
    others are busy on the workstation."""
    observation: Observation
    api_answers: float | None = None
    """When the engine's API first answered over TLS; None where it is not on the network."""
