from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bessemer.boot.ramdisk import FinishedIso, KernelAndRamdisk, choose_ramdisk
from bessemer.config.settings import ConductorSettings, Settings
from bessemer.kernel.error import InvalidValue, Unsupported
from fakes.record import make_node


def settings(**conductor: Any) -> Settings:
    return Settings(conductor=ConductorSettings(**conductor))


OURS = settings(deploy_kernel="/srv/agent/vmlinuz", deploy_ramdisk="https://host/agent/initrd")


def test_a_node_without_its_own_ramdisk_boots_the_one_from_the_settings() -> None:
    choice = choose_ramdisk(make_node(), OURS)
    assert isinstance(choice, KernelAndRamdisk)
    assert choice.kernel.path == Path("/srv/agent/vmlinuz")
    assert choice.ramdisk.url == "https://host/agent/initrd"
    assert choice.kernel.is_trusted


def test_a_nodes_own_ramdisk_comes_before_that_of_the_settings() -> None:
    info = {"deploy_kernel": "http://host/k", "deploy_ramdisk": "http://host/r"}
    choice = choose_ramdisk(make_node(driver_info=info), OURS)
    assert isinstance(choice, KernelAndRamdisk)
    assert (choice.kernel.url, choice.ramdisk.url) == ("http://host/k", "http://host/r")
    assert not choice.kernel.is_trusted


def test_a_finished_iso_comes_before_everything() -> None:
    info = {"deploy_iso": "http://host/agent.iso", "deploy_kernel": "http://host/k"}
    choice = choose_ramdisk(make_node(driver_info=info), OURS)
    assert isinstance(choice, FinishedIso)
    assert choice.iso.url == "http://host/agent.iso"


def test_a_node_with_nothing_to_boot_is_told_what_to_set() -> None:
    with pytest.raises(InvalidValue, match=r"rack1-u7.*deploy_kernel and deploy_ramdisk"):
        choose_ramdisk(make_node(), settings(deploy_kernel="/only/half"))


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(InvalidValue, match="both"):
        choose_ramdisk(make_node(driver_info={"deploy_kernel": "http://host/k"}), OURS)


@pytest.mark.parametrize("value", ["/etc/shadow", "glance-image", 7, ["http://host/k"], "ftp://host/k"])
def test_a_caller_cannot_name_local_paths_or_unknown_places(value: Any) -> None:
    info = {"deploy_kernel": value, "deploy_ramdisk": "http://host/r"}
    with pytest.raises(InvalidValue, match="deploy_kernel"):
        choose_ramdisk(make_node(driver_info=info), OURS)


def test_a_caller_may_name_files_only_where_the_operator_allows() -> None:
    opened = replace(OURS, conductor=replace(OURS.conductor, file_url_allowed_paths=["/srv/images"]))
    inside = {"deploy_iso": "file:///srv/images/agent.iso"}
    assert isinstance(choose_ramdisk(make_node(driver_info=inside), opened), FinishedIso)
    for path in ("/srv/images/../secret.iso", "/etc/shadow"):
        with pytest.raises(InvalidValue, match="file_url_allowed_paths"):
            choose_ramdisk(make_node(driver_info={"deploy_iso": f"file://{path}"}), opened)


def test_a_relative_path_in_the_settings_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"\[conductor\]deploy_kernel"):
        choose_ramdisk(make_node(), settings(deploy_kernel="vmlinuz", deploy_ramdisk="/initrd"))


def test_an_architecture_without_iso_support_needs_a_finished_iso() -> None:
    with pytest.raises(Unsupported, match="arm64"):
        choose_ramdisk(make_node(properties={"cpu_arch": "arm64"}), OURS)
    assert choose_ramdisk(make_node(properties={"cpu_arch": "amd64"}), OURS)
