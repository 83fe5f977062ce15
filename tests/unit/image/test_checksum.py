import pytest

from bessemer.image.checksum import find_checksum
from bessemer.kernel.error import SourceError

ONE, OTHER = "1a" * 32, "2b" * 64


@pytest.mark.parametrize(
    "text",
    [
        f"{OTHER}  other.raw\n{ONE}  image.raw\n",
        f"# comment\n{ONE} *image.raw\n",
        f"{ONE}  ./daily/image.raw\n",
        f"SHA256 (image.raw) = {ONE}\nSHA512 (other.raw) = {OTHER}\n",
        f"{ONE.upper()}\n",
    ],
)
def test_the_checksum_of_the_image_is_found_in_every_usual_form(text: str) -> None:
    checksum = find_checksum(text, "image.raw")
    assert (checksum.algorithm, checksum.value) == ("sha256", ONE)


@pytest.mark.parametrize(
    "text",
    ["", "<html>", f"{ONE}  other.raw\n", f"{ONE}\n{OTHER}\n", f"{'ab' * 20}  image.raw", "zz  image.raw"],
)
def test_a_file_without_a_usable_line_for_the_image_is_an_error(text: str) -> None:
    with pytest.raises(SourceError):
        find_checksum(text, "image.raw")
