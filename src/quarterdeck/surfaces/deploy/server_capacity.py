"""How full a server is."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments import rollups
from quarterdeck.deploy.deployments.rollups import Placed
from quarterdeck.fleet.capacity.values import Capacity, Directory, Warned
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present


@operation("servers.capacity.inspect")
async def inspect(call: Call, server_id: str) -> dict[str, Any]:
    server, found = await call.service("instance").looking.measure(server_id)
    names = {one.deployment for one in found.engine.ours if one.deployment} | {w.deployment for w in found.workspaces}
    return document(call, server, found, await call.read(rollups.placed, names))


def document(call: Call, server: Server, found: Capacity, placed: dict[str, Placed]) -> dict[str, Any]:
    engine = found.engine
    stopped = sum(one.writable_bytes or 0 for one in engine.ours if not one.running)
    reclaimable = (stopped, engine.dangling, engine.reclaimable_build_cache)
    return {
        "schemaVersion": "servers.capacity.inspect/v1",
        "server": server_shape(server),
        "inspectedAt": call.stamp,
        "disk": [
            {
                "path": row.path,
                "mount": row.mount,
                "size": row.size,
                "used": row.used,
                "available": row.available,
                "usePercent": row.use_percent,
            }
            for row in found.disk
        ],
        "inodes": [
            {"path": row.path, "mount": row.mount, "used": row.used, "free": row.free, "usePercent": row.use_percent}
            for row in found.inodes
        ],
        "docker": {
            "imagesSize": engine.images,
            "reclaimableImagesSize": engine.reclaimable_images,
            "buildCacheSize": engine.build_cache,
            "reclaimableBuildCacheSize": engine.reclaimable_build_cache,
            "containersSize": engine.containers,
            "volumesSize": engine.volumes,
        },
        "memory": {
            "total": found.memory.total,
            "available": found.memory.available,
            "used": found.memory.used,
            "usePercent": found.memory.use_percent,
        },
        "cpu": {
            "logicalCores": found.cpu.logical_cores,
            **{
                f"loadAverage{name}": found.cpu.load[place] if found.cpu.load else None
                for place, name in enumerate(("1m", "5m", "15m"))
            },
        },
        "appaloftRuntime": {
            "runtimeRoot": root(found.roots.get("runtime")),
            "stateRoot": root(found.roots.get("state")),
            "sourceWorkspace": root(found.roots.get("workspaces")),
        },
        "appaloftContainers": [
            present(
                id=one.id,
                name=one.name,
                running=one.running,
                status=one.status,
                deploymentId=one.deployment,
                resourceId=one.resource,
                **(placed[one.deployment].wire if one.deployment in placed else {}),
            )
            | {"writableBytes": one.writable_bytes}
            for one in engine.ours
        ],
        "appaloftWorkspaces": [
            {
                "deploymentId": one.deployment,
                "path": one.path,
                "bytes": one.size,
                "activeMarker": one.deployment in placed and placed[one.deployment].active,
                "rollbackCandidateMarker": one.deployment in placed and placed[one.deployment].retained,
            }
            for one in found.workspaces
        ],
        "safeReclaimableEstimate": {
            "stoppedContainersSize": stopped,
            "danglingImagesSize": engine.dangling,
            "oldBuildCacheSize": engine.reclaimable_build_cache,
            "oldPreviewWorkspaceCandidatesSize": 0,
            "total": sum(reclaimable),
        },
        "warnings": [warning(one) for one in found.warnings],
        "partial": found.partial,
    }


def server_shape(server: Server) -> dict[str, Any]:
    return {
        "id": server.ref,
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "providerKey": server.provider,
        "targetKind": server.target_kind,
    }


def root(directory: Directory | None) -> dict[str, Any]:
    directory = directory or Directory("")
    return {"path": directory.path, "size": directory.size, "detectable": directory.exists}


def warning(one: Warned) -> dict[str, Any]:
    return present(code=one.code, message=one.message, path=one.path, mount=one.mount, resource=one.resource)
