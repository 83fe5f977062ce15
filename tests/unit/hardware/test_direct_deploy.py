"""Settings of deployments through the agent."""

import pytest

from bessemer.hardware.agent.deploy import DirectDeploy
from bessemer.kernel.error import InvalidValue
from fakes.task import make_task


@pytest.mark.parametrize(
    "info",
    [
        {"image_download_source": "ftp"},
        {"force_persistent_boot_device": "Sometimes"},
        {"agent_verify_ca": "/no/such/file"},
        {"image_http_proxy": "proxy:3128"},
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(info) -> None:
    with pytest.raises(InvalidValue, match=next(iter(info))):
        DirectDeploy().validate(make_task(driver_info=info))


def test_settings_in_their_usual_forms_are_accepted() -> None:
    info = {
        "image_download_source": "local",
        "force_persistent_boot_device": "Always",
        "agent_verify_ca": "false",
        "image_https_proxy": "http://proxy:3128",
    }
    DirectDeploy().validate(make_task(driver_info=info))
    DirectDeploy().validate(make_task())
    assert set(info) <= set(DirectDeploy().properties())


def test_it_needs_the_agent_and_writes_the_image_before_it_prepares_the_boot() -> None:
    deploy = DirectDeploy()
    assert deploy.needs_agent
    assert deploy.core_steps["write_image"] > deploy.core_steps["prepare_instance_boot"]
