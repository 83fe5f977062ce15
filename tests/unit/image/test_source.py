import base64
from pathlib import Path
from typing import Any

import pytest

from bessemer.config.settings import AgentSettings, ConductorSettings, Settings
from bessemer.image.source import image_source, validate_instance
from bessemer.kernel.error import InvalidValue, Unsupported
from fakes.record import make_node

SHA256 = "ab" * 32
GOOD = {"image_source": "https://host/debian.qcow2", "image_checksum": SHA256}
OPEN = Settings(conductor=ConductorSettings(file_url_allowed_paths=["/srv/images"]))


def refuse(error: type[InvalidValue], match: str, settings: Settings = OPEN, **info: Any) -> None:
    with pytest.raises(error, match=match):
        validate_instance(make_node(instance_info={**GOOD, **info}), settings)


def test_a_web_image_with_a_checksum_is_enough() -> None:
    source = image_source(make_node(instance_info=GOOD), OPEN)
    assert (source.name, source.url, source.is_relayed) == ("debian.qcow2", GOOD["image_source"], False)
    assert source.checksum is not None
    assert (source.checksum.algorithm, source.checksum.value) == ("sha256", SHA256)


def test_a_file_of_this_host_always_comes_through_us() -> None:
    info = {**GOOD, "image_source": "file:///srv/images/a.raw", "image_download_source": "http"}
    source = image_source(make_node(instance_info=info), OPEN)
    assert source.path == Path("/srv/images/a.raw")
    assert source.is_relayed


def test_the_download_source_is_looked_for_in_instance_driver_and_settings() -> None:
    local = Settings(agent=AgentSettings(image_download_source="local"))

    def relayed(settings: Settings, instance: str | None = None, driver: str | None = None) -> bool:
        info = {**GOOD, "image_download_source": instance}
        node = make_node(instance_info=info, driver_info={"image_download_source": driver})
        return image_source(node, settings).is_relayed

    assert relayed(local)
    assert not relayed(local, driver="http")
    assert relayed(local, instance="local", driver="http")


def test_both_forms_of_checksum_are_understood() -> None:
    hashed = {"image_os_hash_algo": "SHA512", "image_os_hash_value": "CD" * 64, "image_checksum": None}
    source = image_source(make_node(instance_info={**GOOD, **hashed}), OPEN)
    assert source.checksum is not None
    assert (source.checksum.algorithm, source.checksum.value) == ("sha512", "cd" * 64)
    url = {**GOOD, "image_checksum": "https://host/SHA256SUMS"}
    assert image_source(make_node(instance_info=url), OPEN).checksum_url == "https://host/SHA256SUMS"


def test_md5_is_taken_only_where_it_is_allowed() -> None:
    strict = Settings(agent=AgentSettings(allow_md5_checksum=False))
    validate_instance(make_node(instance_info={**GOOD, "image_checksum": "ab" * 16}), OPEN)
    refuse(InvalidValue, "MD5", strict, image_checksum="ab" * 16)
    refuse(InvalidValue, "MD5", strict, image_os_hash_algo="md5", image_os_hash_value="ab" * 16)


def test_what_is_missing_or_malformed_is_named() -> None:
    refuse(InvalidValue, "image_source", image_source=None)
    refuse(InvalidValue, "image_source", image_source=["https://host/x"])
    refuse(InvalidValue, "image_source", image_source="https://")
    refuse(InvalidValue, "checksum", image_checksum=None)
    refuse(InvalidValue, "checksum", image_checksum="zz" * 32)
    refuse(InvalidValue, "checksum", image_checksum="ab" * 20)
    refuse(InvalidValue, "checksum", image_checksum=5)
    refuse(InvalidValue, "image_os_hash_algo", image_os_hash_value=SHA256)
    refuse(InvalidValue, "sha1", image_os_hash_algo="sha1", image_os_hash_value="ab" * 20)
    refuse(InvalidValue, "128 digits", image_os_hash_algo="sha512", image_os_hash_value=SHA256)
    refuse(InvalidValue, "image_disk_format", image_disk_format="vmdk")
    refuse(InvalidValue, "image_type", image_type="squashed")
    refuse(InvalidValue, "image_download_source", image_download_source="ftp")
    refuse(InvalidValue, "not both", boot_iso="http://host/boot.iso")
    refuse(InvalidValue, "file_url_allowed_paths", image_source="file:///etc/shadow")
    refuse(InvalidValue, "file_url_allowed_paths", image_source="file:///srv/images/../../etc/shadow")


def test_what_we_cannot_do_yet_is_called_unsupported() -> None:
    refuse(Unsupported, "artition", image_type="partition")
    refuse(Unsupported, "artition", kernel="http://host/k", ramdisk="http://host/r")
    refuse(Unsupported, "not an http", image_source="0f5b5a4c-95b3-4c8c-9bd6-3f4d2b7e3a11")
    refuse(Unsupported, "not an http", image_source="oci://registry/image")
    refuse(Unsupported, "swift", image_download_source="swift")
    refuse(Unsupported, "boot_iso", image_source=None, boot_iso="http://host/boot.iso")
    whole = {**GOOD, "image_type": "whole-disk", "kernel": "http://host/k"}
    validate_instance(make_node(instance_info=whole), OPEN)


def test_an_authorization_header_is_kept_secret_and_used() -> None:
    value = base64.b64encode(b"Bearer s3cret").decode()
    info = {**GOOD, "image_source": "https://u:hunter2@host/i", "image_request_authorization": value}
    source = image_source(make_node(instance_info=info), OPEN)
    assert source.request_headers == {"Authorization": "Bearer s3cret"}
    for text in (repr(source), str(source)):
        assert value not in text
        assert "hunter2" not in text
    refuse(InvalidValue, "image_request_authorization", image_request_authorization="not base64!")
    injected = base64.b64encode(b"x\r\nHost: y").decode()
    refuse(InvalidValue, "image_request_authorization", image_request_authorization=injected)
