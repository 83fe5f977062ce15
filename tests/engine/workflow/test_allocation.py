"""Allocations end with the instances they were made for."""

from bessemer.domain.provision import ProvisionState
from bessemer.store.allocation import find_allocation_of
from bessemer.store.allocation_claim import backfill_allocation
from fakes.resource import an_allocation


async def test_tearing_a_node_down_ends_its_allocation(site) -> None:
    async with site(node={"provision_state": ProvisionState.ACTIVE}) as s:
        uuid = (await s.node()).uuid
        async with s.database.write() as tx:
            await backfill_allocation(tx, an_allocation(resource_class=None), uuid)
        assert (await s.node()).allocation_uuid is not None
        await s.ask("deleted")
        node = await s.settled()
        assert (node.provision_state, node.allocation_uuid, node.instance_uuid) == (
            ProvisionState.AVAILABLE,
            None,
            None,
        )
        async with s.database.read() as tx:
            assert await find_allocation_of(tx, uuid) is None
