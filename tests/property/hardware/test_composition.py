"""Whatever is enabled and asked for: a node gets a whole driver that fits, or a clear refusal."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bessemer.config.settings import DefaultSettings, RedfishSettings, Settings
from bessemer.domain.interface import InterfaceType
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition, EnabledType
from bessemer.hardware.driver import Implementations
from bessemer.hardware.hardware_type import HARDWARE_TYPES
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.error import InvalidValue
from bessemer.network.noop import NoopNetwork
from bessemer.storage.noop import NoopStorage
from fakes.clock import FakeClock
from fakes.task import make_task

EVERY = implementations(Settings(), BmcPool(RedfishSettings()), FakeClock()).joined(
    Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
)
NAMES = {kind: [interface.name for interface in EVERY.get(kind)] for kind in InterfaceType}


@st.composite
def some_settings(draw: st.DrawFn) -> DefaultSettings:
    """A configuration that can work: each hardware type has something of each kind."""
    types = draw(st.lists(st.sampled_from(["fake-hardware", "redfish"]), min_size=1, unique=True))
    changes: dict[str, object] = {"enabled_hardware_types": types}
    for kind in InterfaceType:
        supported = [[n for n in HARDWARE_TYPES[t].supported[kind] if n in NAMES[kind]] for t in types]
        needed = [draw(st.sampled_from(names)) for names in supported]
        extra = draw(st.lists(st.sampled_from(NAMES[kind])))
        enabled = draw(st.permutations(sorted({*needed, *extra})))
        changes[f"enabled_{kind}_interfaces"] = enabled
        changes[f"default_{kind}_interface"] = draw(st.none() | st.sampled_from(enabled))
    return replace(DefaultSettings(), **changes)


def some_choice() -> st.SearchStrategy[dict[str, str | None]]:
    return st.fixed_dictionaries(
        {},
        optional={
            kind.node_field: st.none() | st.sampled_from([*NAMES[kind], "no-such-interface"])
            for kind in InterfaceType
        },
    )


@given(some_settings(), some_choice(), st.data())
def test_a_driver_that_is_given_is_whole_enabled_and_fits(settings, choice, data) -> None:
    composition = Composition(settings, EVERY)
    driver = data.draw(st.sampled_from(sorted(composition.hardware_types())))
    try:
        filled = composition.fill_interfaces(driver, choice)
    except InvalidValue:
        assert any(_is_impossible(settings, driver, kind, choice) for kind in InterfaceType)
        return
    assert not any(_is_impossible(settings, driver, kind, choice) for kind in InterfaceType)
    assert all(choice.get(field) in (None, name) for field, name in filled.items())
    made = composition.driver_for(make_task(driver=driver, **filled).node)
    assert {kind.node_field: interface.name for kind, interface in made} == filled
    assert composition.fill_interfaces(driver, filled) == filled


def _is_impossible(
    settings: DefaultSettings, driver: str, kind: InterfaceType, choice: dict[str, str | None]
) -> bool:
    """The rules once more, in the words of the contract."""
    enabled = settings.enabled(kind) or ()
    named = choice.get(kind.node_field) or settings.default(kind)
    return named is not None and (named not in enabled or not HARDWARE_TYPES[driver].supports(kind, named))


@given(some_settings())
def test_what_is_offered_is_enabled_and_a_default_can_be_chosen(settings) -> None:
    composition = Composition(settings, EVERY)
    for name, offer in composition.hardware_types().items():
        for kind, default in offer.defaults.items():
            assert offer.enabled[kind]
            assert set(offer.enabled[kind]) <= set(settings.enabled(kind) or ())
            if default is not None:
                chosen = composition.fill_interfaces(name, {**_firsts(offer), kind.node_field: default})
                assert chosen[kind.node_field] == default


def _firsts(offer: EnabledType) -> dict[str, str]:
    """A choice for every kind, so that one missing default does not hide another."""
    return {kind.node_field: names[0] for kind, names in offer.enabled.items()}
