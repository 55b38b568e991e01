# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Whether QEMU answers on its monitor."""

import socket

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.machine.monitor import answers, execute
from pinwheel.machine.qemu import MONITOR_SOCKET


def test_nobody_answers_before_there_is_a_socket(tmp_path):
    assert not answers(tmp_path)


def test_socket_that_outlived_its_qemu_does_not_answer(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / MONITOR_SOCKET))
        listener.listen()
    assert (tmp_path / MONITOR_SOCKET).exists()
    assert not answers(tmp_path)
    with pytest.raises(EnvironmentFault, match="did not take query-status"):
        execute(tmp_path, "query-status")
