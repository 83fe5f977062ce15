"""Both servers, for all tests of a run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from compat.ironic.play import Pair
from compat.ironic.serve import bessemer, ironic
from compat.ironic.side import Side


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack, ThreadPoolExecutor(1) as starting:
        theirs = starting.submit(stack.enter_context, ironic(directory / "ironic"))
        ours = stack.enter_context(bessemer(directory / "bessemer"))
        yield Pair(
            Side("ironic", theirs.result(), has_operations=False),
            Side("bessemer", ours, has_operations=True),
        )
