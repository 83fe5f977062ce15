"""Password hashes are those that crypt(3) makes: the vectors are from its specification and from glibc."""

import pytest

from bessemer.domain.password_hash import hash_password
from bessemer.kernel.error import InvalidValue

LONG = "a" * 100


@pytest.mark.parametrize(
    ("password", "algorithm", "salt", "hashed"),
    [
        (
            "Hello world!",
            "sha256",
            "saltstring",
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        ),
        (
            "Hello world!",
            "sha512",
            "saltstring",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ),
        (
            "ü" * 40,
            "sha256",
            "ab.Z/9",
            "$5$ab.Z/9$DiCYrKzsq7XjBNniaGveFZf2PDyFv6MWiRcCaYdP/z3",
        ),
        (
            LONG,
            "sha512",
            "x",
            "$6$x$WpTAO0OCjrfq5WnqjJEljeDvcsu0PNdWCxGeUJLDmClf1Zt0W.xoNd1qL42H0.kWnv4lgR66OqWGYd8pDW6v41",
        ),
        (
            "b",
            "sha512",
            "abcdefghijklmnop",
            "$6$abcdefghijklmnop$wQHCz/ZOx9VqJmMLAjQ1pJoiIX2IYvHi0/3pjJK50Nfx7UitXybnvg0lLTelW3WZvxlkdz3d9m6DqA48aU1ee1",
        ),
    ],
)
def test_hashes_are_those_of_crypt(password: str, algorithm: str, salt: str, hashed: str) -> None:
    assert hash_password(password, algorithm=algorithm, salt=salt) == hashed


@pytest.mark.parametrize(
    ("algorithm", "salt"), [("md5", "ab"), ("sha256", ""), ("sha256", "a$b"), ("sha256", "a" * 17)]
)
def test_other_algorithms_and_salts_are_refused(algorithm: str, salt: str) -> None:
    with pytest.raises(InvalidValue):
        hash_password("x", algorithm=algorithm, salt=salt)


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_password_that_crypt_does_not_take_is_refused_before_any_work(letter: str) -> None:
    size = len(letter.encode())
    assert hash_password(letter * (511 // size), algorithm="sha512", salt="x").startswith("$6$x$")
    for length in (511 // size + 1, 1_000_000):
        with pytest.raises(InvalidValue, match="longer than 511 bytes"):
            hash_password(letter * length, algorithm="sha512", salt="x")
