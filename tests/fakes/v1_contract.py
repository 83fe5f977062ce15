"""Every call of the v1 contract: methods, path, since which version, and what an older client gets.

``{}`` is a variable part of a path. Calls that were always there have no gate.
Source: v1 contract, routes.
"""

TABLE = """
GET / 1
GET /v1 1
GET POST /nodes 1
GET /nodes/detail 1
GET PATCH DELETE /nodes/{} 1
GET /nodes/validate 1
GET /nodes/{}/validate 1
GET /chassis/{}/nodes 1
GET /chassis/{}/nodes/detail 1
PUT DELETE /nodes/{}/maintenance 1
PUT GET /nodes/{}/management/boot_device 1
GET /nodes/{}/management/boot_device/supported 1
PUT /nodes/{}/management/inject_nmi 29 404
GET /nodes/{}/management/indicators 1
GET PUT /nodes/{}/management/indicators/{} 1
GET /nodes/{}/states 1
PUT /nodes/{}/states/power 1
PUT /nodes/{}/states/provision 1
PUT /nodes/{}/states/raid 12 406
PUT /nodes/{}/states/boot_mode 76 404
PUT /nodes/{}/states/secure_boot 76 404
GET PUT /nodes/{}/states/console 1
GET /nodes/{}/vendor_passthru/methods 1
GET PUT POST PATCH DELETE /nodes/{}/vendor_passthru 1
GET PUT POST PATCH DELETE /nodes/{}/vendor_passthru/{} 1
GET /nodes/{}/traits 37 406
PUT /nodes/{}/traits 37 405
PUT /nodes/{}/traits/{} 37 405
DELETE /nodes/{}/traits 37 404
DELETE /nodes/{}/traits/{} 37 404
GET POST /nodes/{}/vifs 28 404
DELETE /nodes/{}/vifs/{} 28 404
GET /nodes/{}/ports 1
GET /nodes/{}/ports/detail 1
GET /nodes/{}/portgroups 24 404
GET /nodes/{}/portgroups/detail 24 404
GET /nodes/{}/volume 32 404
GET /nodes/{}/volume/connectors 32 404
GET /nodes/{}/volume/targets 32 404
GET /nodes/{}/bios 40 404
GET /nodes/{}/bios/{} 40 404
GET /nodes/{}/firmware 86 404
GET /nodes/{}/history 78 404
GET /nodes/{}/history/{} 78 404
GET /nodes/{}/inventory 81 404
GET /nodes/{}/children 83 404
GET DELETE /nodes/{}/allocation 52 404
POST DELETE /nodes/{}/vmedia 89 404
GET /nodes/{}/vmedia 93 404
GET POST /ports 1
GET /ports/detail 1
GET PATCH DELETE /ports/{} 1
GET POST /portgroups 23 404
GET /portgroups/detail 23 404
GET PATCH DELETE /portgroups/{} 23 404
GET /portgroups/{}/ports 24 404
GET /portgroups/{}/ports/detail 24 404
GET POST /chassis 1
GET /chassis/detail 1
GET PATCH DELETE /chassis/{} 1
GET /drivers 1
GET /drivers/{} 1
GET /drivers/{}/properties 1
GET /drivers/{}/raid/logical_disk_properties 12 406
GET /drivers/{}/vendor_passthru/methods 1
GET PUT POST PATCH DELETE /drivers/{}/vendor_passthru 1
GET PUT POST PATCH DELETE /drivers/{}/vendor_passthru/{} 1
GET /volume 32 404
GET POST /volume/connectors 32 404
GET PATCH DELETE /volume/connectors/{} 32 404
GET POST /volume/targets 32 404
GET PATCH DELETE /volume/targets/{} 32 404
GET /conductors 49 404
GET /conductors/{} 49 404
GET /shards 82 404
GET /allocations 52 404
POST /allocations 52 405
GET /allocations/{} 52 404
PATCH /allocations/{} 57 405
DELETE /allocations/{} 52 405
GET /deploy_templates 55 404
POST /deploy_templates 55 405
GET /deploy_templates/{} 55 404
PATCH DELETE /deploy_templates/{} 55 405
GET /runbooks 92 404
POST /runbooks 92 405
GET /runbooks/{} 92 404
PATCH DELETE /runbooks/{} 92 405
GET PUT DELETE /runbooks/{}/traits 112 404
PUT DELETE /runbooks/{}/traits/{} 112 404
GET /inspection_rules 96 404
POST DELETE /inspection_rules 96 405
GET /inspection_rules/{} 96 404
PATCH DELETE /inspection_rules/{} 96 405
POST /events 54 404
GET /lookup 22 404
POST /heartbeat/{} 22 404
POST /continue_inspection 84 404
"""


def calls() -> dict[tuple[str, str], tuple[int, int | None]]:
    """Since and gate, by method and path."""
    found: dict[tuple[str, str], tuple[int, int | None]] = {}
    for line in TABLE.split("\n"):
        words = line.split()
        if not words:
            continue
        at = next(n for n, word in enumerate(words) if word.startswith("/"))
        gate = int(words[at + 2]) if len(words) > at + 2 else None
        for method in words[:at]:
            found[method, words[at]] = (int(words[at + 1]), gate)
    return found
