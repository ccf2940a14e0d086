"""The calls about infrastructure (contract: infra §1, §3.3) and the routes of ours beside it."""

from __future__ import annotations

from quarterdeck.cli.task_operations import Operation

SPECS = "/api/cli/configurations"
SPEC = f"{SPECS}/{{specId}}"
JOB = "/api/cli/jobs/{jobId}"
RUNNERS = "/api/cli/workers"
RUNNER = f"{RUNNERS}/{{runnerId}}"
OURS = "/api/cli/runners/{runnerId}"
PROVIDER = "/api/cli/providers/{provider}"

OPERATIONS: dict[str, Operation] = {
    "zones.list": Operation("GET", "/api/cli/zones"),
    "zones.create": Operation("POST", "/api/cli/zones"),
    "zones.show": Operation("GET", "/api/cli/zones/{zoneId}"),
    "zones.change": Operation("PUT", "/api/cli/zones/{zoneId}"),
    "zones.delete": Operation("DELETE", "/api/cli/zones/{zoneId}"),
    "specs.list": Operation("GET", SPECS),
    "specs.create": Operation("POST", SPECS),
    "specs.show": Operation("GET", SPEC),
    "specs.replace": Operation("PUT", SPEC),
    "specs.delete": Operation("DELETE", SPEC),
    "specs.delete-forced": Operation("DELETE", f"{SPEC}?force=true&reason={{reason}}"),
    "specs.clone": Operation("POST", f"{SPEC}/clone"),
    "specs.versions": Operation("GET", f"{SPEC}/versions"),
    "specs.diff": Operation("GET", f"{SPEC}/diff"),
    "specs.export": Operation("GET", f"{SPEC}/export"),
    "specs.validate": Operation("POST", f"{SPECS}/validate"),
    "specs.drift": Operation("GET", f"{SPEC}/drift"),
    "specs.look": Operation("POST", f"{SPEC}/drift"),
    "states.show": Operation("GET", f"{SPEC}/state"),
    "states.versions": Operation("GET", f"{SPEC}/state/versions"),
    "states.pull": Operation("GET", f"{SPEC}/state/versions/{{version}}"),
    "states.diff": Operation("GET", f"{SPEC}/state/diff"),
    "states.rollback": Operation("POST", f"{SPEC}/state/rollback"),
    "states.unlock": Operation("POST", f"{SPEC}/state/unlock"),
    "states.push": Operation("POST", f"{SPEC}/state/push"),
    "infra-jobs.list": Operation("GET", "/api/jobs"),
    "infra-jobs.create": Operation("POST", "/api/jobs"),
    "infra-jobs.show": Operation("GET", JOB),
    "infra-jobs.logs": Operation("GET", f"{JOB}/logs"),
    "infra-jobs.stream": Operation("GET", "/api/stream/jobs/{jobId}"),
    "infra-jobs.cancel": Operation("POST", f"{JOB}/cancel"),
    "infra-jobs.rerun": Operation("POST", f"{JOB}/rerun"),
    "infra-jobs.pin": Operation("POST", f"{JOB}/pin"),
    "infra-jobs.plan": Operation("GET", f"{JOB}/plan"),
    "infra-jobs.approve": Operation("POST", f"{JOB}/approve"),
    "infra-jobs.reject": Operation("POST", f"{JOB}/reject"),
    "runners.list": Operation("GET", RUNNERS),
    "runners.register": Operation("POST", RUNNERS),
    "runners.enrol": Operation("POST", f"{RUNNERS}/enrolment-tokens"),
    "runners.show": Operation("GET", RUNNER),
    "runners.remove": Operation("DELETE", RUNNER),
    "runners.deploy": Operation("POST", "/api/cli/runners/deploy"),
    "runners.drain": Operation("POST", f"{OURS}/drain"),
    "runners.default": Operation("POST", f"{OURS}/default"),
    "runners.update": Operation("POST", f"{OURS}/update"),
    "runners.releases": Operation("GET", "/api/cli/releases"),
    "clusters.list": Operation("GET", "/api/cli/clusters"),
    "repositories.github": Operation("GET", "/api/cli/repositories/github"),
    "repositories.gitlab": Operation("GET", "/api/cli/repositories/gitlab"),
    "repositories.bitbucket": Operation("GET", "/api/cli/repositories/bitbucket"),
    "connectors.list": Operation("GET", "/api/cli/cloud-identities"),
    "connectors.zones": Operation("GET", "/api/cli/cloud-identities/{identityId}/zones"),
    "connectors.bind": Operation("PUT", "/api/cli/cloud-identities/{identityId}/zones"),
    "connectors.init": Operation("POST", f"{PROVIDER}/init"),
    "connectors.connect": Operation("POST", f"{PROVIDER}/connect"),
    "connectors.verify": Operation("POST", f"{PROVIDER}/verify"),
    "connectors.disconnect": Operation("POST", f"{PROVIDER}/disconnect"),
}
