# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Images from registries and archives to the store: a real registry, and one that has bad days."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.oci_image import Entry, Image, image
from tests.support.registry import Registry, digest, free_port
from tests.support.strange_registry import StrangeRegistry, strange_registry

from pinwheel.image.toolbox import Toolbox
from pinwheel.node.containers.access import Access
from pinwheel.node.containers.http import Http, UnreachableError
from pinwheel.node.containers.layer import Limits
from pinwheel.node.containers.oci import ImageError
from pinwheel.node.containers.pull import Patience, Room, ensure_image, image_source
from pinwheel.node.containers.store import Store, StoredImage
from pinwheel.node.paths import Paths

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="unpacking takes chroot(2)")

TOOL = image(
    [Entry("bin/tool", content=os.urandom(300_000), mode=0o755)], [Entry("etc/tool.conf", content=b"second layer")]
)
NO_PAUSE = Patience(sleep=lambda _seconds: None)

Pull = Callable[..., StoredImage]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def pull(directory: Path, tmp_path: Path) -> Pull:
    def pull(
        source: str, access: Access = Access(), room: Room = Room(reserve=0), patience: Patience = NO_PAUSE
    ) -> StoredImage:
        store, http = Store(directory), Http(access, ssl.create_default_context, 5)
        with store.in_use():
            return ensure_image(
                store, source, lambda: image_source(Paths(tmp_path), store, source, access, http, patience), room
            )

    return pull


def pull_alone(store: str, source: str) -> None:
    """Pull in a process of its own."""
    held, http = Store(Path(store)), Http(Access(), ssl.create_default_context, 5)
    with held.in_use():
        ensure_image(
            held, source, lambda: image_source(Paths(), held, source, Access(), http, NO_PAUSE), Room(reserve=0)
        )


def process(directory: Path, source: str) -> "subprocess.Popen[bytes]":
    program = "import sys; from tests.node.containers.test_pull import pull_alone; pull_alone(*sys.argv[1:])"
    return subprocess.Popen([sys.executable, "-c", program, directory, source], stderr=subprocess.DEVNULL)


@pytest.fixture
def strange() -> Iterator[StrangeRegistry]:
    with strange_registry() as server:
        yield server


def is_the_tool(found: StoredImage) -> bool:
    text, size = (found.root / "etc/tool.conf").read_bytes(), (found.root / "bin/tool").stat().st_size
    return (text, size) == (b"second layer", 300_000)


def nothing_is_left_over(tmp_path: Path) -> bool:
    store = tmp_path / "store"
    return not [
        file for name in ("blobs/sha256", "work") for file in (store / name).glob("*") if file.suffix != ".lock"
    ]


# ---- a real registry ----


@pytest.fixture(scope="module")
def registry(toolbox: Toolbox) -> Iterator[Registry]:
    with Registry(toolbox) as registry:
        yield registry


def test_image_is_pulled_from_a_real_registry(registry: Registry, pull: Pull, tmp_path: Path) -> None:
    registry.push_busybox("tools/busybox", "1.37")
    found = pull(f"127.0.0.1:{registry.port}/tools/busybox:1.37")
    assert (found.root / "bin/busybox").stat().st_mode & 0o7777 == 0o755
    assert (found.root / "bin/sh").readlink() == Path("busybox")
    assert (found.root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert b'"Cmd"' in found.config
    assert nothing_is_left_over(tmp_path)


def test_image_is_pulled_by_its_digest(registry: Registry, pull: Pull) -> None:
    registry.push_busybox("tools/busybox", "1")
    by_tag = pull(f"127.0.0.1:{registry.port}/tools/busybox:1")
    by_digest = pull(f"127.0.0.1:{registry.port}/tools/busybox@{by_tag.digest}")
    assert by_digest == by_tag


def test_what_the_registry_does_not_have_is_said_at_once(registry: Registry, pull: Pull) -> None:
    with pytest.raises(ImageError, match="does not have the image"):
        pull(f"127.0.0.1:{registry.port}/no/such:1", patience=Patience(sleep=time.sleep))


def test_mirror_stands_in_for_a_registry_that_is_gone(registry: Registry, pull: Pull) -> None:
    registry.push_busybox("library/busybox", "1")
    access = Access(mirrors={"docker.io": [f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{registry.port}"]})
    assert (pull("busybox:1", access).root / "bin/busybox").exists()


# ---- one with bad days ----


def test_index_leads_to_the_image_of_this_machine(strange: StrangeRegistry, pull: Pull, tmp_path: Path) -> None:
    assert is_the_tool(pull(strange.add("tool", TOOL)))
    assert nothing_is_left_over(tmp_path)


def test_image_that_is_there_is_not_asked_for_again(strange: StrangeRegistry, pull: Pull) -> None:
    source = strange.add("tool", TOOL)
    first = pull(source)
    strange.requests.clear()
    assert pull(source) == first
    assert strange.requests == []


def test_login_service_is_asked_for_a_token(strange: StrangeRegistry, pull: Pull) -> None:
    strange.asks_for_token()
    assert is_the_tool(pull(strange.add("team/tool", TOOL)))
    assert strange.asked("/token") == 1


def test_login_service_gets_the_credentials_of_the_settings(strange: StrangeRegistry, pull: Pull) -> None:
    strange.asks_for_token("me", "secret")
    source = strange.add("tool", TOOL)
    with pytest.raises(ImageError, match="credentials"):
        pull(source)
    assert is_the_tool(pull(source, Access(logins={strange.host: ["me", "secret", ""]})))


def test_credentials_do_not_follow_a_redirect_to_another_host(strange: StrangeRegistry, pull: Pull) -> None:
    strange.asks_for_token("me", "secret")
    source = strange.add("tool", TOOL)
    with strange_registry() as storage:
        storage.blobs = strange.blobs
        strange.blobs = {}
        strange.before.append(
            lambda handler: (
                (307, {"Location": f"http://{storage.host}{handler.path}"}, b"") if "/blobs/" in handler.path else None
            )
        )
        assert is_the_tool(pull(source, Access(logins={strange.host: ["me", "secret", ""]})))
        assert storage.requests
        assert not [headers for _, headers in storage.requests if "authorization" in headers]


def test_endless_redirect_ends(strange: StrangeRegistry, pull: Pull) -> None:
    strange.before.append(lambda handler: (302, {"Location": handler.path}, b""))
    with pytest.raises(UnreachableError, match="circle"):
        pull(strange.add("tool", TOOL))


def test_layer_goes_on_where_it_was_interrupted(strange: StrangeRegistry, pull: Pull) -> None:
    source = strange.add("tool", TOOL)
    strange.hang_up_after = [len(TOOL.config), 100_000, 100_000]
    assert is_the_tool(pull(source))
    ranges = [headers["range"] for path, headers in strange.requests if "range" in headers]
    assert ranges == ["bytes=100000-", "bytes=200000-"]


def test_layer_begins_anew_where_the_registry_cannot_resume(strange: StrangeRegistry, pull: Pull) -> None:
    strange.resumes = False
    strange.hang_up_after = [len(TOOL.config), 100_000]
    assert is_the_tool(pull(strange.add("tool", TOOL)))


def test_registry_that_is_busy_is_asked_again_later(strange: StrangeRegistry, pull: Pull) -> None:
    answers = [503, 429, 500]
    strange.before.append(lambda _handler: (answers.pop(), {}, b"") if answers else None)
    pauses: list[float] = []
    assert is_the_tool(pull(strange.add("tool", TOOL), patience=Patience(sleep=pauses.append)))
    assert len(pauses) == 3
    assert all(low <= pause <= low + 4 for low, pause in zip((3, 4, 6), pauses, strict=True))


def test_patience_ends(pull: Pull) -> None:
    pauses: list[float] = []
    with pytest.raises(UnreachableError):
        pull(f"127.0.0.1:{free_port()}/tool:1", patience=Patience(sleep=pauses.append))
    assert len(pauses) == 4


def test_layer_that_is_another_one_is_refused(strange: StrangeRegistry, pull: Pull, tmp_path: Path) -> None:
    source = strange.add("tool", TOOL)
    for key, blob in list(strange.blobs.items()):
        strange.blobs[key] = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(ImageError, match="not what was asked for"):
        pull(source)
    assert nothing_is_left_over(tmp_path)


@pytest.mark.parametrize("which", range(2))
def test_changed_layer_is_refused(strange: StrangeRegistry, pull: Pull, tmp_path: Path, which: int) -> None:
    source = strange.add("tool", TOOL)
    blob = TOOL.layers[which]
    strange.blobs[digest(blob)] = blob[:100] + b"x" + blob[101:]
    with pytest.raises(ImageError, match="not what was asked for"):
        pull(source)
    assert not list((tmp_path / "store").glob("blobs/sha256/*.partial"))


def test_lying_mirror_is_passed_over(strange: StrangeRegistry, pull: Pull) -> None:
    source = strange.add("tool", TOOL)
    with strange_registry() as liar:
        liar.manifests = strange.manifests
        liar.blobs = dict.fromkeys(strange.blobs, b"planted")
        access = Access(mirrors={strange.host: [f"http://{liar.host}"]})
        assert is_the_tool(pull(source, access))
        assert liar.requests


def test_manifest_by_digest_must_have_it(strange: StrangeRegistry, pull: Pull) -> None:
    strange.add("tool", TOOL)
    strange.manifests[f"tool/sha256:{'0' * 64}"] = TOOL.manifest
    with pytest.raises(ImageError, match="not what was asked for"):
        pull(f"{strange.host}/tool@sha256:{'0' * 64}")


def test_huge_document_is_refused(strange: StrangeRegistry, pull: Pull) -> None:
    strange.manifests["tool/1"] = b'{"name":"' + b"x" * 5_000_000 + b'"}'
    with pytest.raises(ImageError, match="more than"):
        pull(f"{strange.host}/tool:1")


def test_layer_of_another_size_is_refused(strange: StrangeRegistry, pull: Pull) -> None:
    manifest = TOOL.manifest.replace(f'"size": {len(TOOL.layers[0])}'.encode(), b'"size": 1000')
    assert manifest != TOOL.manifest
    source = strange.add("tool", Image(TOOL.layers, TOOL.config, manifest))
    with pytest.raises(ImageError, match="not what was asked for"):
        pull(source)


def test_image_larger_than_allowed_leaves_nothing(strange: StrangeRegistry, pull: Pull, tmp_path: Path) -> None:
    source = strange.add("tool", TOOL)
    with pytest.raises(ImageError, match="too large"):
        pull(source, room=Room(Limits(size=100_000), reserve=0))
    assert not list((tmp_path / "store").glob("images/*"))
    assert not list((tmp_path / "store").glob("work/*"))


def test_disk_keeps_its_reserve(strange: StrangeRegistry, pull: Pull) -> None:
    with pytest.raises(ImageError, match="no room"):
        pull(strange.add("tool", TOOL), room=Room(reserve=10**15))


def test_proxy_is_asked_for_what_is_not_near(pull: Pull) -> None:
    with strange_registry() as proxy:
        source = proxy.add("tool", TOOL).replace(proxy.host, "registry.example.com")
        target = "http://registry.example.com"
        proxy.before.append(lambda handler: setattr(handler, "path", handler.path.removeprefix(target)))
        access = Access(
            http_proxy=f"http://me:pw@{proxy.host}",
            https_proxy=f"http://127.0.0.1:{free_port()}",
            insecure=["registry.example.com"],
        )
        assert is_the_tool(pull(source, access))
        assert all(headers["proxy-authorization"].startswith("Basic ") for _, headers in proxy.requests)
        assert all(headers["host"] == "registry.example.com" for _, headers in proxy.requests)


def test_two_at_once_fetch_a_layer_once(strange: StrangeRegistry, pull: Pull, directory: Path) -> None:
    source = strange.add("tool", TOOL)
    strange.before.append(lambda _handler: time.sleep(0.05))
    running = [process(directory, source) for _ in range(2)]
    assert [one.wait(60) for one in running] == [0, 0]
    assert is_the_tool(pull(source))
    assert strange.asked(digest(TOOL.layers[0])) == 1


def test_death_at_any_instant_leaves_a_whole_image_or_none(
    strange: StrangeRegistry, pull: Pull, directory: Path, tmp_path: Path
) -> None:
    source, store = strange.add("tool", TOOL), Store(directory)
    strange.before.append(lambda _handler: time.sleep(0.02))
    for turn in range(25):
        dying = process(directory, source)
        time.sleep(0.25 + turn * 0.012)
        dying.kill()
        dying.wait()
        assert all(is_the_tool(StoredImage(image)) for image in directory.glob("images/*"))
        if store.find(source):
            store.clear([], [], [])
            assert store.find(source) is None
    assert is_the_tool(pull(source))
    store.clear([source], [], [])
    assert nothing_is_left_over(tmp_path)


# ---- archives ----


def test_archive_on_the_node_is_an_image(pull: Pull, tmp_path: Path) -> None:
    TOOL.write_archive(tmp_path / "usr/share/tool.oci")
    assert is_the_tool(pull("oci:/usr/share/tool.oci"))


def test_archive_unpacked_into_a_directory_is_one_too(pull: Pull, tmp_path: Path) -> None:
    archive = TOOL.write_archive(tmp_path / "tool.oci", "v1")
    subprocess.run(["tar", "-x", "-f", archive, "--one-top-level=layout", "-C", tmp_path], check=True)
    assert is_the_tool(pull("oci:/layout:v1"))
    with pytest.raises(ImageError, match="v2"):
        pull("oci:/layout:v2")


def test_archive_and_registry_give_the_same_image(pull: Pull, strange: StrangeRegistry, tmp_path: Path) -> None:
    TOOL.write_archive(tmp_path / "tool.oci")
    assert pull("oci:/tool.oci") == pull(strange.add("tool", TOOL))


def test_damaged_archive_is_refused(pull: Pull, tmp_path: Path) -> None:
    archive = TOOL.write_archive(tmp_path / "tool.oci")
    content = bytearray(archive.read_bytes())
    content[content.index(TOOL.layers[0][:64]) + 50] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ImageError, match="damaged"):
        pull("oci:/tool.oci")


@pytest.mark.parametrize("content", [None, b"", b"no archive" * 100, TOOL.layers[0]])
def test_what_is_no_archive_is_refused(pull: Pull, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "tool.oci").write_bytes(content)
    with pytest.raises(ImageError, match=r"tool\.oci"):
        pull("oci:/tool.oci")


def test_layers_without_compression_are_taken(pull: Pull, tmp_path: Path) -> None:
    image([Entry("a", content=b"x")], packed=False).write_archive(tmp_path / "plain.oci")
    assert (pull("oci:/plain.oci").root / "a").read_bytes() == b"x"


def test_silent_registry_is_given_up(pull: Pull) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: [server.accept() for _ in range(2)], daemon=True).start()
        started = time.monotonic()
        with pytest.raises(UnreachableError):
            pull(f"127.0.0.1:{server.getsockname()[1]}/tool:1", patience=Patience(tries=1))
        assert time.monotonic() - started < 20
