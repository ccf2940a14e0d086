"""The part of the harbour that holds servers: the console's fleet over values that stand still."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.fleet import (
    AttemptRow,
    CapacityView,
    CredentialRow,
    EngineView,
    LeftRow,
    Looked,
    LookedAt,
    Placed,
    PolicyForm,
    PolicyRow,
    RemovalStep,
    ServerChoice,
    ServerView,
    SurveyView,
)
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, Problem, Unavailable

STANDING = (
    RemovalStep("active-server", 1, "it is still active", "qd server deactivate fra-1"),
    RemovalStep("resource-placement", 2, "2 resources in use are placed on it", "qd deploy … --server OTHER"),
)
HISTORY = (
    RemovalStep("deployment-history", 3, "3 deployments are kept as its history", "qd server rm hel-2 --with-history"),
)
FLEET = (
    "servers.list",
    "servers.register",
    "servers.rename",
    "servers.deactivate",
    "servers.delete",
    "servers.test-connectivity",
    "servers.test-draft-connectivity",
    "servers.capacity.inspect",
    "scheduled-runtime-prune-policies.list",
    "scheduled-runtime-prune-policies.configure",
    "servers.configure-credential",
    "servers.configure-edge-proxy",
    "servers.bootstrap-proxy",
    "credentials.list-ssh",
    "credentials.create-ssh",
    "credentials.delete-ssh",
)
SINCE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ANOTHER = "SHA256:" + "A" * 43
SHOWN = "SHA256:" + "B" * 43
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHk2b0x5d0c2dWp1c3RhbWFkZXVwa2V5Zm9ydGVzdHMx"
POLICIES = (
    PolicyRow("nightly", "*", "every server", 30, ("stopped-containers", "unused-images"), "removes"),
    PolicyRow("look", "srv_1", "fra-1", 90, ("source-workspaces", "preview-workspaces"), "looks"),
    PolicyRow("old", "*", "every server", 365, ("docker-build-cache",), "off"),
)


@dataclass
class Quay:
    """`done` is what the forms asked for; `another_key` makes the server show another host key; `out_of_reach` lets
    nobody look at it and `engine_silent` lets its engine say nothing; `may_keep_keys` is what the domain says of who
    stores one.
    """

    done: list[tuple[Any, ...]] = field(default_factory=list)
    another_key: bool = False
    out_of_reach: bool = False
    may_keep_keys: bool = True
    engine_silent: bool = False
    engine_problem: Problem | None = None

    async def server(self, who: Any, ref: str) -> ServerView:
        local = ref == "srv_1"
        return ServerView(
            ref=ref,
            name="fra-1" if local else "hel-2",
            host="127.0.0.1" if local else "198.51.100.7",
            local=local,
            lifecycle="inactive" if ref == "srv_2" else "active",
            edge="failed" if local else "pending",
            edge_kind="caddy",
            edge_problem="The edge cannot listen on port 80." if local else "",
            signing_in="root, with deploy",
            credential="" if local else "sshcred_1",
            username="",
            facts=(Fact("Id", ref, True), Fact("Signing in", "root, with deploy")),
            attempts=(AttemptRow("pxy_000000000001", "failed", "repair", "The edge cannot listen.", SINCE),),
            removal=STANDING if local else HISTORY if ref == "srv_2" else (),
            edge_facts=(Fact("Kind", "caddy"), Fact("Listens on", "80 and 443")),
            placed=(
                Placed("storefront / web", "/console/projects/storefront/production/web", ("health", "healthy")),
                Placed("docs / docs", "/console/projects/docs/production/docs", ("runtime", "exited")),
            )
            if local
            else (),
            builds=2 if local else 0,
            policies=POLICIES[:2] if local else (),
        )

    async def look(self, who: Any, ref: str) -> Looked:
        if self.another_key:
            changed = LookedAt("Host key", "failed", "It shows another host key.", 0.1, ANOTHER)
            return Looked("unreachable", (LookedAt("Tcp", "passed", "It answers.", 0.1), changed))
        return Looked("degraded", (LookedAt("Docker engine", "failed", "There is no Docker engine.", 0.3),))

    async def look_at_draft(self, who: Any, choice: ServerChoice) -> Looked:
        if choice.host == "a b":
            raise Invalid("'a b' is neither a host name nor an IP address.", hint="Mend it.", field="host")
        if choice.host == "locked":
            kept_out = LookedAt("Signing in", "failed", "It does not let root in.", 0.2, command=f"echo '{PUBLIC}'")
            return Looked("unreachable", (LookedAt("Reached", "passed", "It answers.", 0.1), kept_out))
        checks = (
            LookedAt("Reached", "passed", f"{choice.host} answers.", 0.1),
            LookedAt("Root", "failed", "ada cannot become root without a password. As root there:", 0.1,
                     command="echo 'ada ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/quarterdeck"),
            LookedAt("Edge ports", "passed", "Another program has 80. The edge would listen on 8080 and 8443.", 0.1,
                     command="sudo ss -ltnp '( sport = :80 )'", odd=True),
        )  # fmt: skip
        return Looked("degraded", checks, ANOTHER if self.another_key else SHOWN)

    async def keep_key(self, who: Any, *, name: str, username: str, key: str | None) -> str:
        if not self.may_keep_keys:
            raise Forbidden("You may not do this: deploy:credentials.create-ssh is missing.", hint="Ask Jonas Weber.")
        if key is not None and "PRIVATE" not in key:
            raise Invalid("This is not a private key.", hint="Give the whole file.", field="privateKey")
        self.done.append(("keep_key", name, username, key is None))
        return "sshcred_1" if key is None else "sshcred_2"

    async def survey(self, who: Any, ref: str) -> SurveyView:
        if ref == "srv_2":
            return SurveyView("unknown", (), (), (), ("Nothing answers at 198.51.100.7. Check the firewall.",))
        edge = (Fact("Runs", "yes, as process 812"), Fact("Version", "2.11.4"), Fact("Configuration", "0f3a", True))
        return SurveyView("stale", edge, (Fact("Containers of ours", "4"),), (("postgres", "postgres:16"),), ())

    async def left_on_server(self, who: Any, ref: str) -> tuple[LeftRow, ...]:
        if self.out_of_reach:
            raise Unavailable("Nothing answers at 198.51.100.7 on port 22.", hint="Check that the machine is on.")
        silent = (LeftRow("silent-engine", "Docker", False, "Nothing answers at its socket."),)
        return (
            *(silent if self.engine_silent else ()),
            LeftRow("container", "web-v7", False, ""),
            LeftRow("volume", "web-data", False, "Volumes hold data, and are never removed."),
            LeftRow("directory", "/var/lib/quarterdeck/runtime/releases", False, ""),
        )

    async def uninstall_server(
        self, who: Any, ref: str, confirmation: str, *, without_engine: bool
    ) -> tuple[LeftRow, ...]:
        if confirmation != "hel-2":
            raise Invalid("That is not the name of this server.", hint="Type hel-2.", field="confirmation")
        if self.engine_silent and not without_engine:
            raise Conflict("What the engine of hel-2 holds of ours is not known.", hint="Start Docker there.")
        self.done.append(("uninstall", ref))
        return tuple(LeftRow(one.kind, one.name, not one.kept, one.kept) for one in await self.left_on_server(who, ref))

    async def policies(self, who: Any) -> tuple[PolicyRow, ...]:
        return POLICIES

    async def configure_policy(self, who: Any, policy: PolicyForm) -> None:
        if not policy.categories:
            raise Invalid("Nothing is chosen to look for.", hint="Choose at least one kind.", field="categories")
        if not policy.days.isdigit():
            raise Invalid(f"{policy.days!r} is no number of days.", hint="Use 1 or more.", field="days")
        self.done.append(("policy", policy))

    async def capacity(self, who: Any, ref: str) -> CapacityView:
        bars = (("Disk /", 91.0, "9 GB free of 100 GB"),)
        return CapacityView(bars, (Fact("Load", "0.1, 0.2, 0.3"),), ("/ is 91 % full.",))

    async def credentials(self, who: Any) -> tuple[CredentialRow, ...]:
        return (
            CredentialRow("sshcred_1", "deploy", "root", SINCE, ("hel-2",), PUBLIC),
            CredentialRow("sshcred_2", "spare", "ada", SINCE, (), PUBLIC.replace("H", "J")),
        )

    async def add_server(self, who: Any, choice: ServerChoice) -> str:
        if not choice.name:
            raise Invalid("The server name must be one line.", hint="Choose one.", field="name")
        self.done.append(("add_server", choice))
        return "srv_9"

    async def rename_server(self, who: Any, ref: str, name: str) -> None:
        self.done.append(("rename", ref, name))

    async def sign_in_to_server(self, who: Any, ref: str, *, credential: str, username: str) -> None:
        self.done.append(("sign_in", ref, credential, username))

    async def move_server(self, who: Any, ref: str, *, host: str, port: str, fingerprint: str) -> None:
        if host == "192.0.2.99" and not fingerprint:
            raise Conflict("What answers is another machine.", code="ssh_host_key_changed", hint="Compare its key.")
        self.done.append(("move", ref, host, port, fingerprint))

    async def choose_edge(self, who: Any, ref: str, kind: str) -> None:
        self.done.append(("edge", ref, kind))

    async def bring_up_edge(self, who: Any, ref: str) -> None:
        if ref == "srv_2":
            raise Conflict("The server hel-2 is deactivated.", code="server_inactive", hint="Use another server.")
        self.done.append(("bring_up", ref))

    async def engine(self, who: Any, ref: str) -> EngineView:
        if self.engine_problem is not None:
            raise self.engine_problem
        steps = (
            ("Renew the lists of packages", "apt-get update"),
            ("Install docker.io", "apt-get install docker.io"),
        )
        return EngineView("None, on Debian GNU/Linux 12", "Not decided", steps=steps, plan="4711", asks=True)

    async def use_engine(self, who: Any, ref: str, plan_id: str) -> None:
        if plan_id != "4711":
            raise Conflict(
                "The plan is another one than was agreed to.", code="engine_plan_changed", hint="Look again."
            )
        self.done.append(("use_engine", ref, plan_id))

    async def refuse_engine(self, who: Any, ref: str, reason: str) -> None:
        self.done.append(("refuse_engine", ref, reason))

    async def trust_host_key(self, who: Any, ref: str, fingerprint: str) -> None:
        self.done.append(("trust", ref, fingerprint))

    async def deactivate_server(self, who: Any, ref: str, reason: str) -> None:
        self.done.append(("deactivate", ref))

    async def delete_server(self, who: Any, ref: str, confirmation: str, *, with_history: bool) -> None:
        if confirmation != "hel-2":
            raise Invalid("That is not the name of this server.", hint="Type hel-2.", field="confirmation")
        self.done.append(("delete", ref, with_history))

    async def add_credential(self, who: Any, *, name: str, username: str, key: str) -> None:
        if "PRIVATE" not in key:
            raise Invalid("This is not a private key.", hint="Give the whole file.", field="privateKey")
        self.done.append(("add_credential", name, username))

    async def delete_credential(self, who: Any, ref: str) -> None:
        self.done.append(("delete_credential", ref))
