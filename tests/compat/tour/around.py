"""What lies around nodes: chassis, ports, port groups, volumes."""

from compat.tour.guide import Guide, column

MAC, OTHER_MAC, GROUP_MAC = "52:54:00:00:07:01", "52:54:00:00:07:02", "52:54:00:00:07:03"


def ports(guide: Guide) -> None:
    node = guide.enrol("ported")["uuid"]
    made = guide.say(
        f"port create {MAC} --node {node} --pxe-enabled true --extra a=1 --name tour-port --description d "
        "--local-link-connection switch_id=0a:1b:2c:3d:4e:5f --local-link-connection port_id=e1"
    )
    uuid = made["uuid"]
    assert made["local_link_connection"] == {"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "e1"}
    guide.do(f"port set {uuid} --pxe-disabled --physical-network net1 --address {OTHER_MAC} --extra b=2")
    guide.do(f"port unset {uuid} --extra a --description")
    shown = guide.say(f"port show {uuid}")
    assert (shown["pxe_enabled"], shown["physical_network"], shown["extra"]) == (False, "net1", {"b": 2})
    assert (shown["address"], shown["name"], shown["description"]) == (OTHER_MAC, "tour-port", None)
    assert guide.say(f"port show --address {OTHER_MAC}")["uuid"] == uuid
    assert column(guide.say(f"port list --node {node} --long"), "uuid") == [uuid]
    assert guide.say(f"port list --address {OTHER_MAC} --fields address") == [{"address": OTHER_MAC}]
    guide.do(f"port delete {uuid}")
    guide.refused(f"port show {uuid}", why="could not be found")
    guide.do("node delete ported")


def port_groups(guide: Guide) -> None:
    node = guide.enrol("grouped")["uuid"]
    made = guide.say(
        f"port group create --node {node} --name tour-bond --address {GROUP_MAC} --mode 802.3ad "
        "--property miimon=100 --unsupport-standalone-ports"
    )
    uuid = made["uuid"]
    assert (made["mode"], made["properties"]) == ("802.3ad", {"miimon": 100})
    port = guide.say(f"port create {MAC} --node {node} --port-group {uuid} --pxe-enabled false")
    assert column(guide.say("port list --port-group tour-bond"), "uuid") == [port["uuid"]]
    guide.do("port group set tour-bond --mode active-backup --extra a=1 --support-standalone-ports")
    guide.do(f"port group unset {uuid} --extra a --property miimon --address")
    shown = guide.say("port group show tour-bond")
    assert (shown["mode"], shown["extra"], shown["properties"], shown["address"]) == (
        "active-backup",
        {},
        {},
        None,
    )
    assert shown["standalone_ports_supported"] is True
    assert column(guide.say("port group list --node grouped --long"), "name") == ["tour-bond"]
    guide.refused("port group delete tour-bond", why="port")
    guide.do(f"port delete {port['uuid']}")
    guide.do("port group delete tour-bond")
    assert guide.say("port group list --node grouped") == []
    guide.do("node delete grouped")


def volumes(guide: Guide) -> None:
    node = guide.enrol("stored")["uuid"]
    connector = guide.say(
        f"volume connector create --node {node} --type mac --connector-id {MAC} --extra a=1"
    )
    uuid = connector["uuid"]
    guide.do("node power off stored")
    guide.reaches("stored", power_state="power off")
    guide.do(f"volume connector set {uuid} --type iqn --connector-id iqn.2026-01.org.example:tour")
    guide.do(f"volume connector unset {uuid} --extra a")
    shown = guide.say(f"volume connector show {uuid}")
    assert (shown["type"], shown["connector_id"], shown["extra"]) == (
        "iqn",
        "iqn.2026-01.org.example:tour",
        {},
    )
    assert column(guide.say("volume connector list --node stored --long"), "uuid") == [uuid]
    guide.do(f"volume connector delete {uuid}")
    guide.refused(f"volume connector show {uuid}", why="could not be found")

    target = guide.say(
        f"volume target create --node {node} --type iscsi --volume-id v-1 --boot-index 0 "
        "--property target_lun=1 --property auth_password=hush --extra a=1"
    )
    uuid = target["uuid"]
    guide.do(f"volume target set {uuid} --volume-id v-2 --boot-index 1")
    guide.do(f"volume target unset {uuid} --extra a --property target_lun")
    shown = guide.say(f"volume target show {uuid}")
    assert (shown["volume_id"], shown["boot_index"], shown["extra"]) == ("v-2", 1, {})
    assert shown["properties"] == {"auth_password": "******"}
    assert guide.say("volume target list --node stored --fields boot_index") == [{"boot_index": 1}]
    guide.do(f"volume target delete {uuid}")
    assert guide.say("volume target list --node stored") == []
    guide.do("node delete stored")


def chassis(guide: Guide) -> None:
    uuid = guide.say("chassis create --description rack")["uuid"]
    guide.do(f"chassis set {uuid} --description 'rack 2' --extra a=1 --extra b=2")
    guide.do(f"chassis unset {uuid} --extra a")
    shown = guide.say(f"chassis show {uuid}")
    assert (shown["description"], shown["extra"]) == ("rack 2", {"b": 2})
    assert uuid in column(guide.say("chassis list --long"), "uuid")
    guide.enrol("housed", f"--chassis-uuid {uuid}")
    assert column(guide.say(f"node list --chassis {uuid}"), "name") == ["housed"]
    guide.refused(f"chassis delete {uuid}", why="still has nodes")
    guide.do("node unset housed --chassis-uuid")
    guide.do(f"chassis delete {uuid}")
    guide.do("node delete housed")
