"""The document that tells the agent which image to write."""

from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.image.probe import ImageFacts
from bessemer.image.source import ImageSource, plain_name
from bessemer.kernel.error import InternalError

JsonObject = dict[str, Any]


def image_info(
    node: Node, source: ImageSource, facts: ImageFacts, settings: Settings, *, relay_url: str
) -> JsonObject:
    """Make ``image_info`` for the agent's ``write_image`` step.

    ``relay_url`` is where the image comes through us; it is used when ``source.is_relayed``. The result
    may hold credentials: it must not be logged or stored with the operation.

    Source: ``image_info`` of ironic-python-agent's standby extension.
    """
    info: JsonObject = {
        "id": plain_name(source.name),
        "urls": [relay_url if source.is_relayed else source.url],
        "container_format": "bare",
        "image_type": "whole-disk-image",
        "node_uuid": node.uuid,
        "stream_raw_images": settings.agent.stream_raw_images,
        "deploy_boot_mode": node.boot_mode or settings.deploy.default_boot_mode,
        **_checksum(source, facts),
    }
    if source.disk_format is not None:
        info["disk_format"] = source.disk_format
    if not source.is_relayed:
        # Proxies and passwords are for the way to the image's own server.
        info.update(_proxies(node))
        if source.authorization is not None:
            info["image_request_authorization"] = source.authorization.reveal()
    return info


def _checksum(source: ImageSource, facts: ImageFacts) -> JsonObject:
    checksum = facts.checksum or source.checksum
    if checksum is None:
        if not source.checksum_url:
            raise InternalError("An image source without any checksum was let through.")
        return {"checksum": source.checksum_url}
    if checksum.algorithm == "md5":
        return {"checksum": checksum.value}
    return {"os_hash_algo": checksum.algorithm, "os_hash_value": checksum.value}


def _proxies(node: Node) -> JsonObject:
    driver_info = node.driver_info
    proxies = {
        scheme: driver_info[key]
        for scheme, key in (("http", "image_http_proxy"), ("https", "image_https_proxy"))
        if driver_info.get(key)
    }
    if not proxies:
        return {}
    no_proxy = driver_info.get("image_no_proxy")
    return {"proxies": proxies, **({"no_proxy": no_proxy} if no_proxy else {})}
