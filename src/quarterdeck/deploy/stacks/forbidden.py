"""Keys of a service that are refused by name: what they would do here, and what to do instead."""

from __future__ import annotations

_HOST = "takes part of the whole server into the container"
_OUT = "Take it out: applications of one server stay apart from each other and from the server."
_FILE = "is not supported"
FORBIDDEN: dict[str, tuple[str, str]] = {
    "privileged": ("gives the container the whole server", _OUT),
    **dict.fromkeys(("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup", "cgroup_parent"), (_HOST, _OUT)),
    **dict.fromkeys(
        ("cap_add", "devices", "device_cgroup_rules", "gpus", "security_opt", "sysctls", "runtime", "credential_spec"),
        ("gives the container rights over the server", _OUT),
    ),
    "container_name": (
        "is one name for the whole server, so that two versions could not stand beside each other",
        "Take it out: services reach each other by the name of the service.",
    ),
    **dict.fromkeys(
        ("links", "external_links", "volumes_from"),
        (
            "ties containers together, which would not outlive a new version",
            "Use the names of services, and named volumes.",
        ),
    ),
    **dict.fromkeys(
        ("secrets", "configs"),
        ("is not supported", "Set a secret of the resource and take it in as ${NAME} in environment."),
    ),
    "extends": (_FILE, "Write the service out, or use an anchor in the same file."),
    "scale": ("asks for several containers of one service", "Take it out: each service is one container."),
    "platform": ("asks for another machine", "Take it out: services run on the server's own platform."),
}
TOP: dict[str, tuple[str, str]] = {
    "include": ("takes other files in", "Write everything into one file."),
    "secrets": FORBIDDEN["secrets"],
    "configs": FORBIDDEN["configs"],
}
