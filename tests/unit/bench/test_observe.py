# SPDX-License-Identifier: Apache-2.0 OR MIT
import subprocess

import pytest
from bench.boot import observe

METERS = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SReclaimable", "AnonPages", "SUnreclaim",
          "KernelStack", "PageTables", "Percpu")  # fmt: skip


def reading(name: str, anonymous: int) -> str:
    values = dict.fromkeys(METERS, 1) | {"MemTotal": 100, "MemAvailable": 40, "AnonPages": anonymous}
    return "".join(f"bench: {name} {meter}: {value} kB\n" for meter, value in values.items())


def test_a_report_is_found_among_other_console_lines():
    text = (
        "[  42.0] docker0: port 1(veth0) entered blocking state\n"
        + reading("one", 10)
        + "stock login: \n"
        + reading("two", 14)
        + "bench: tcp   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n"
        + "bench: end\n"
    )
    seen = observe.read_report(text)
    assert seen.with_container.unreclaimable == 96 * 1024
    assert seen.idle.unreclaimable == 92 * 1024
    assert seen.idle.unavailable == 56 * 1024
    assert seen.ports == ["22/tcp"]


def test_a_report_that_was_cut_off_is_refused():
    with pytest.raises(KeyError):
        observe.read_report(reading("one", 10))


def test_the_observers_script_is_a_shell_script():
    subprocess.run(["sh", "-n", "-c", observe.OBSERVER_SCRIPT], check=True)


def test_the_observer_reads_what_this_kernel_prints():
    script = observe.OBSERVER_SCRIPT.replace("sleep", "true")
    text = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout
    assert text.rstrip().endswith(observe.END)
    assert observe.read_report(text).with_container.attributed > 0
