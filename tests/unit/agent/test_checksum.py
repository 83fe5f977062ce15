import hashlib

import pytest

from bessemer_agent.error import ImageChecksumMismatch, InvalidImage
from bessemer_agent.image.checksum import Checksum, find_in_checksum_file, has_checksum, read_checksum

SHA256, SHA512, MD5 = hashlib.sha256(b"x").hexdigest(), hashlib.sha512(b"x").hexdigest(), "0" * 32


def no_fetch(url: str) -> str:
    raise AssertionError(f"{url} was fetched")


def read(image_info: dict[str, object], *, is_md5_enabled: bool = False) -> Checksum:
    return read_checksum(image_info, is_md5_enabled=is_md5_enabled, fetch=no_fetch)


def test_algorithm_and_value_come_before_the_old_checksum() -> None:
    info = {"os_hash_algo": "sha512", "os_hash_value": SHA512.upper(), "checksum": MD5}
    assert read(info) == Checksum("sha512", SHA512)


def test_the_algorithm_of_a_bare_checksum_follows_from_its_length() -> None:
    assert read({"checksum": SHA256}).algorithm == "sha256"
    assert read({"checksum": SHA512}).algorithm == "sha512"


def test_md5_counts_only_where_the_service_allows_it() -> None:
    assert read({"checksum": MD5}, is_md5_enabled=True).algorithm == "md5"
    with pytest.raises(InvalidImage, match="MD5"):
        read({"checksum": MD5})
    with pytest.raises(InvalidImage, match="MD5"):
        read({"os_hash_algo": "md5", "os_hash_value": MD5})


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"checksum": "not hex"},
        {"checksum": "abc"},
        {"os_hash_algo": "sha1", "os_hash_value": "a" * 40},
        {"os_hash_algo": "sha256"},
    ],
)
def test_a_description_without_usable_checksum_is_refused(info: dict[str, object]) -> None:
    with pytest.raises(InvalidImage):
        read(info)


def test_the_checksum_may_be_the_url_of_a_checksum_file() -> None:
    info = {"checksum": "http://h/SHA256SUMS", "urls": ["http://h/images/debian.raw?token=1"]}
    text = f"{'0' * 64}  other.raw\n{SHA256} *./debian.raw\n"
    checksum = read_checksum(info, is_md5_enabled=False, fetch=lambda url: text)
    assert checksum == Checksum("sha256", SHA256)


@pytest.mark.parametrize(
    "text",
    [
        f"{SHA256}  a.raw",
        f"# comment\n{SHA256.upper()} *a.raw\n",
        f"SHA256 (a.raw) = {SHA256}\n",
        f"{SHA256}\n",
    ],
)
def test_checksum_files_are_read_in_all_usual_forms(text: str) -> None:
    assert find_in_checksum_file(text, "a.raw") == SHA256


def test_a_checksum_file_without_the_image_is_refused() -> None:
    with pytest.raises(InvalidImage, match=r"a\.raw"):
        find_in_checksum_file(f"{SHA256}  b.raw\n{SHA256}  aa.raw", "a.raw")


def test_a_mismatch_names_both_digests() -> None:
    Checksum("sha256", "aa").verify("aa")
    with pytest.raises(ImageChecksumMismatch, match="should be aa, but is bb"):
        Checksum("sha256", "aa").verify("bb")


def test_half_a_pair_is_no_checksum() -> None:
    assert not has_checksum({"os_hash_algo": "sha256"})
    assert has_checksum({"checksum": "x"})
