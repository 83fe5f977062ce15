from pathlib import Path

import pytest

from bessemer.kernel.error import InvalidValue, SourceError
from bessemer.transfer.file import is_within, look_at_file
from bessemer.transfer.url import check_web, file_path, shown


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "debian.raw").write_bytes(b"disk")
    (tmp_path / "secret").write_bytes(b"not yours")
    return tmp_path / "images"


async def test_a_file_in_an_allowed_directory_is_found(images: Path) -> None:
    known = await look_at_file(images / "debian.raw", within=[str(images)])
    assert known.size == 4


async def test_a_link_does_not_lead_out_of_the_allowed_directories(images: Path) -> None:
    (images / "link").symlink_to(images.parent / "secret")
    with pytest.raises(SourceError, match="file_url_allowed_paths"):
        await look_at_file(images / "link", within=[str(images)])


async def test_an_allowed_directory_may_itself_be_a_link(images: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(images)
    assert (await look_at_file(tmp_path / "alias" / "debian.raw", within=[str(tmp_path / "alias")])).size == 4


@pytest.mark.parametrize("name", ["missing", ".", "debian.raw/below"])
async def test_what_is_not_a_regular_file_is_refused(name: str, images: Path) -> None:
    with pytest.raises(SourceError):
        await look_at_file(images / name, within=None)


def test_dots_in_a_path_are_taken_out_before_it_is_judged() -> None:
    assert is_within(Path("/images/a/../b"), ["/images"])
    assert not is_within(Path("/images/../etc/shadow"), ["/images"])
    assert not is_within(Path("/images-not"), ["/images"])
    assert not is_within(Path("/images/a"), [])


def test_a_file_url_names_a_path_of_this_host() -> None:
    assert file_path("file:///srv/my%20image.raw") == Path("/srv/my image.raw")
    assert file_path("file://localhost/srv/x") == Path("/srv/x")
    for bad in ("file://elsewhere/srv/x", "file://srv/x", "file:///srv/%00"):
        with pytest.raises(InvalidValue):
            file_path(bad)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "http://",
        "ftp://host/x",
        "http://host:99999/",
        "http://host/a b",
        "http://host/\n",
        "host/x",
        "http://images..example.com/x",
        f"http://{'i' * 64}.example.com/x",
    ],
)
def test_what_is_not_a_web_url_is_refused(bad: str) -> None:
    with pytest.raises(InvalidValue, match="The thing"):
        check_web(bad, "The thing")


def test_urls_are_shown_without_credentials_and_signatures() -> None:
    assert shown("https://u:p@host:8443/image?sig=x#f") == "https://host:8443/image?..."
    assert shown("http://host/image") == "http://host/image"
