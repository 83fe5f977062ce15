"""Traits: what a node has or can do, as names that schedulers and templates look for."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from bessemer.domain.standard_trait import STANDARD
from bessemer.kernel.error import InvalidValue

LONGEST: Final = 255
MOST_PER_NODE: Final = 50
_CUSTOM = re.compile(r"CUSTOM_[A-Z0-9_]+")


def is_trait(name: object) -> bool:
    """Whether ``name`` is a standard trait or has the form of a custom one."""
    if not isinstance(name, str) or len(name) > LONGEST:
        return False
    return name in STANDARD or _CUSTOM.fullmatch(name) is not None


def check_trait(name: object) -> str:
    """``name``, if it is a trait. Raises InvalidValue. Source: v1 contract, ``trait``; os-traits."""
    if not is_trait(name):
        raise InvalidValue(
            f"{str(name)[:80]!r} is not a trait.",
            hint="Standard traits are those of os-traits; custom ones are CUSTOM_ and A-Z, 0-9, _.",
        )
    return str(name)


def check_traits(names: object) -> list[str]:
    """Each of ``names`` once, in order. Raises InvalidValue when it is no list of traits."""
    if not isinstance(names, list | tuple):
        raise InvalidValue("Traits must be given as a list.")
    return sorted({check_trait(name) for name in names})


def check_node_traits(names: Collection[str]) -> None:
    """Raises InvalidValue when these are more than a node may have."""
    if len(names) > MOST_PER_NODE:
        raise InvalidValue(f"A node has at most {MOST_PER_NODE} traits, not {len(names)}.")


def check_instance_traits(wanted: object, node_traits: Collection[str]) -> list[str]:
    """The traits an instance asks for (``instance_info.traits``), all of which its node must have.

    Raises:
        InvalidValue: No list of traits, or a trait that the node lacks.
    """
    if wanted is None:
        return []
    found = check_traits(wanted)
    missing = missing_traits(found, node_traits)
    if missing:
        raise InvalidValue(
            f"instance_info.traits names what the node does not have: {', '.join(missing)}.",
            hint="Add the traits to the node, or take them out of instance_info.",
        )
    return found


def missing_traits(wanted: Iterable[str], has: Collection[str]) -> list[str]:
    """Those of ``wanted`` that are not in ``has``, in order."""
    return sorted(set(wanted).difference(has))
