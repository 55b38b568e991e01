# SPDX-License-Identifier: Apache-2.0 OR MIT
import socket
import threading
from pathlib import Path

import pytest
from bench.api.client import Sockets, content_length, request


def test_requests_have_a_body_only_where_one_is_given():
    assert request("GET", "/settings") == b"GET /settings HTTP/1.1\r\nhost: localhost\r\n\r\n"
    head, _, body = request("PATCH", "/settings", {"motd": "ü"}).partition(b"\r\n\r\n")
    assert content_length(head) == len(body) == 18


def test_an_answer_without_a_body_has_no_length():
    assert content_length(b"HTTP/1.1 204 \r\ncache-control: no-store") == 0


@pytest.mark.parametrize("cuts", [(), (5,), (20, 40), (45, 50)])
def test_an_answer_is_taken_whole_however_it_is_cut(tmp_path: Path, cuts: tuple[int, ...]):
    answer = b"HTTP/1.1 409 \r\nContent-Length: 5\r\nserver: x\r\n\r\nhello"
    parts = [answer[start:end] for start, end in zip((0, *cuts), (*cuts, len(answer)), strict=True)]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "one.sock"))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        with connection:
            connection.recv(1000)
            for part in parts:
                connection.sendall(part)

    thread = threading.Thread(target=serve)
    thread.start()
    sockets = Sockets(tmp_path)
    channel = sockets.connect("one")
    taken = channel.ask(request("GET", "/"))
    assert (taken.status, taken.body) == (409, b"hello")
    with pytest.raises(ConnectionError):
        channel.ask(request("GET", "/"))
    thread.join()
    channel.close()
    sockets.close()
    listener.close()
