"""How servers are tidied by themselves, and how one is left: read for its pages, and changed by their forms."""

from __future__ import annotations

from typing import Any

from quarterdeck.console.domain import machines
from quarterdeck.console.views.fleet import LeftRow, PolicyForm, PolicyRow
from quarterdeck.deploy.deployments import leaving
from quarterdeck.fleet.capacity import policies
from quarterdeck.fleet.capacity.model import PrunePolicy
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import Principal

MOST = 500


class Tidying:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def policies(self, who: Principal) -> tuple[PolicyRow, ...]:
        found: tuple[PolicyRow, ...] = await self.instance.db.read(rows)
        return found

    async def configure_policy(self, who: Principal, policy: PolicyForm) -> None:
        days = policy.days
        if not (days.isascii() and days.isdigit() and 0 < len(days) <= 6) or int(days) < 1:
            raise Invalid(f"{days[:20]!r} is no number of days.", hint="Use 1 or more.", field="days")
        if not policy.categories:
            raise Invalid("Nothing is chosen to look for.", hint="Choose at least one kind.", field="categories")

        def configure(tx: Tx) -> None:
            before = policies.find(tx, policy.name) if policy.name else None
            wish = policies.Wish(
                version=before.version if before else "v1",
                scope=before.scope if before else "organization",
                server=policy.server,
                retention_days=int(days),
                destructive=policy.remove,
                categories=list(policy.categories),
                retry_on_failure=before.retry_on_failure if before else True,
                enabled=policy.enabled,
            )
            policies.configure(tx, policy.name or None, wish)

        await self.instance.db.write(configure)

    async def left_on_server(self, who: Principal, ref: str) -> tuple[LeftRow, ...]:
        _, found = await leaving.leave(self.instance.taking_away, ref, remove=False)
        return machines.left(found)

    async def uninstall_server(
        self, who: Principal, ref: str, confirmation: str, *, without_engine: bool
    ) -> tuple[LeftRow, ...]:
        name = await self.instance.db.read(lambda tx: servers.find(tx, ref).name)
        if confirmation != name:
            raise Invalid(
                f"{confirmation[:60]!r} is not the name of this server.", hint=f"Type {name}.", field="confirmation"
            )
        _, found = await leaving.leave(self.instance.taking_away, ref, remove=True, without_engine=without_engine)
        return machines.left(found)


def rows(tx: Tx, server: str | None = None) -> tuple[PolicyRow, ...]:
    """All policies, or those that count for one server, newest first."""
    names = {one.ref: one.name for one in servers.newest(tx, MOST)}
    return tuple(_row(one, names) for one in policies.listed(tx, server=server, scope=None, enabled_only=False))


def _row(one: PrunePolicy, names: dict[str, str]) -> PolicyRow:
    everywhere = one.server == policies.EVERYWHERE
    does = "off" if not one.enabled else "removes" if one.destructive else "looks"
    place = "every server" if everywhere else names.get(one.server, one.server)
    return PolicyRow(one.ref, one.server, place, one.retention_days, tuple(one.categories), does)
