"""Whatever stands in the headers of a request, the answer is who asks or a denial, and never a defect."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.api.authentication.http_basic.password_file import PasswordFile
from bessemer.api.authentication.http_basic.throttle import Throttle
from bessemer.api.authentication.http_basic.validator import BasicAuthentication
from bessemer.api.authentication.keystone.server import KeystoneServer
from bessemer.api.authentication.keystone.token import read_token
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.proof import Authentication, Denial, Proof
from bessemer.config.settings import KeystoneAuthtokenSettings
from bessemer.kernel.secret import Secret
from fakes.keystone import described

#: What can come out of header bytes.
LATIN = st.text(st.characters(max_codepoint=255), max_size=60)
KEYS = st.sampled_from(["id", "name", "domain", "all", "access_rules", "service", "method", "path"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


class KnowsNothing(KeystoneServer):
    async def find_token(self, text: str, *, allow_expired: bool) -> Any:
        return None


async def status_of(strategy: Authentication, proof: Proof) -> int:
    try:
        await strategy.identify(proof)
    except Denial as denial:
        return denial.status
    finally:
        await strategy.close()
    return 200


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "htpasswd"
    path.write_text("")
    return path


@given(
    header=LATIN
    | LATIN.map("Basic {}".format)
    | st.binary(max_size=90).map(lambda raw: "Basic " + base64.b64encode(raw).decode())
)
def test_any_authorization_header_is_refused_by_a_file_without_accounts(accounts: Path, header: str) -> None:
    cheap = BasicAuthentication(PasswordFile(accounts), Throttle())
    cheap._nobody = lambda: b"$2b$04$" + b"." * 53  # type: ignore[method-assign]
    assert asyncio.run(status_of(cheap, Proof("GET", "/v1", authorization=header))) == 401


@given(token=LATIN, service=LATIN)
def test_any_token_is_refused_by_a_keystone_that_knows_none(token: str, service: str) -> None:
    settings = KeystoneAuthtokenSettings(
        auth_url="http://k", username="u", password=Secret("p"), project_name="service"
    )
    strategy = KeystoneAuthentication(settings, KnowsNothing(settings))
    proof = Proof("GET", "/v1", token=token, service_token=service)
    assert asyncio.run(status_of(strategy, proof)) == 401


@given(
    key=st.sampled_from(sorted(described(project={}, domain={}, system={}, application_credential={}))),
    value=JSON,
)
def test_a_description_is_read_or_refused(key: str, value: Any) -> None:
    try:
        token = read_token({**described(), key: value})
    except ValueError:
        return
    assert isinstance(token.caller.user, str)
    assert all(isinstance(role, str) for role in token.caller.roles)
    for name in ("project", "project_name", "domain", "user_name", "user_domain", "project_domain"):
        assert isinstance(getattr(token.caller, name), str | None), name
