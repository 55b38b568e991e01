# SPDX-License-Identifier: Apache-2.0 OR MIT
import gzip
import io
import json
import tarfile

from tests.support.registry import busybox_layer, digest, free_port, image_config, image_manifest


def test_the_same_binary_gives_the_same_layer():
    assert busybox_layer(b"\x7fELF") == busybox_layer(b"\x7fELF")


def test_the_layer_has_a_shell_and_a_place_for_temporary_files():
    with tarfile.open(fileobj=io.BytesIO(busybox_layer(b"\x7fELF"))) as archive:
        assert archive.getmember("bin/sh").linkname == "busybox"
        assert archive.getmember("bin/busybox").mode == 0o755
        assert archive.getmember("tmp").mode == 0o1777


def test_the_configuration_names_the_unpacked_layer_and_the_manifest_the_packed_one():
    layer = busybox_layer(b"\x7fELF")
    packed = gzip.compress(layer, mtime=0)
    config = image_config(layer)
    manifest = json.loads(image_manifest(config, packed))
    assert json.loads(config)["rootfs"]["diff_ids"] == [digest(layer)]
    assert manifest["config"]["digest"] == digest(config)
    assert manifest["layers"][0] | {"mediaType": ""} == {"mediaType": "", "digest": digest(packed), "size": len(packed)}


def test_two_free_ports_can_be_had():
    assert 0 < free_port() < 65536
