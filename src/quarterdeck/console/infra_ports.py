"""What the pages about infrastructure ask of the rest of the program: see `ports`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from quarterdeck.console.views.deployments import LineViews
from quarterdeck.console.views.infra import (
    FieldError,
    File,
    SpecChoices,
    SpecDraft,
    SpecList,
    SpecsAsked,
    SpecView,
    VersionDiff,
    VersionList,
    ZoneRow,
)
from quarterdeck.console.views.infra_clouds import ClusterList, IdentityRow, IdentityView
from quarterdeck.console.views.infra_jobs import InfraJobList, InfraJobsAsked, InfraJobView
from quarterdeck.console.views.infra_plans import PlanView
from quarterdeck.console.views.infra_runners import NewRunner, RunnerList, RunnerView
from quarterdeck.console.views.infra_states import StateDiff, StateView

Principal = Any


class InfraSpecs(Protocol):
    """Zones and specifications, by their uids."""

    async def infra_zones(self, who: Principal) -> tuple[ZoneRow, ...]: ...

    async def infra_zone(self, who: Principal, uid: str) -> ZoneRow: ...

    async def create_infra_zone(self, who: Principal, *, name: str, description: str) -> str: ...

    async def change_infra_zone(self, who: Principal, uid: str, values: Mapping[str, str]) -> None:
        """What is given of `name`, `description`, `approvals` and `destroy_approvals`, as it was typed."""
        ...

    async def delete_infra_zone(self, who: Principal, uid: str, confirmation: str) -> None:
        """`confirmation` is its name."""
        ...

    async def infra_specs(self, who: Principal, asked: SpecsAsked, before: str, limit: int) -> SpecList: ...

    async def infra_spec(self, who: Principal, uid: str) -> SpecView: ...

    async def infra_spec_choices(self, who: Principal) -> SpecChoices: ...

    async def infra_spec_draft(self, who: Principal, uid: str) -> SpecDraft: ...

    async def infra_spec_text(self, who: Principal, document: Mapping[str, Any]) -> str:
        """A document as YAML, whether it is right or not."""
        ...

    async def read_infra_spec(self, who: Principal, text: str) -> tuple[Mapping[str, Any], Mapping[str, int]]:
        """A document that was typed as YAML or JSON, and the lines of its fields. Raises `Invalid`."""
        ...

    async def examine_infra_spec(self, who: Principal, document: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Everything that is wrong with it; nothing is kept."""
        ...

    async def save_infra_spec(
        self, who: Principal, uid: str, document: Mapping[str, Any], *, again: bool = False
    ) -> str:
        """Without a uid another one is made. Answers its uid; raises what names every wrong field, and `Conflict`:
        `spec_exists` for one that its zone has already by that name and stage, unless it is wanted `again`.
        """
        ...

    async def clone_infra_spec(self, who: Principal, uid: str, *, name: str, stage: str, zone: str) -> str: ...

    async def delete_infra_spec(
        self, who: Principal, uid: str, confirmation: str, *, force: bool, reason: str
    ) -> None: ...

    async def infra_spec_versions(self, who: Principal, uid: str, before: int | None, limit: int) -> VersionList: ...

    async def infra_spec_diff(self, who: Principal, uid: str, since: int, to: int) -> VersionDiff: ...

    async def export_infra_spec(self, who: Principal, uid: str, form: str, number: int | None) -> File: ...

    async def look_for_drift(self, who: Principal, uid: str) -> str:
        """Answers the job."""
        ...


class InfraWork(Protocol):
    """Jobs and plans, by the uids of the jobs."""

    async def infra_jobs(self, who: Principal, asked: InfraJobsAsked, limit: int) -> InfraJobList: ...

    async def infra_job(self, who: Principal, uid: str, lines: int) -> InfraJobView: ...

    async def whole_infra_log(self, who: Principal, uid: str) -> AsyncIterator[LineViews]: ...

    async def infra_plan(self, who: Principal, uid: str) -> PlanView: ...

    async def ask_for_plan(self, who: Principal, spec: str, runner: str) -> str: ...

    async def apply_plan(self, who: Principal, uid: str, runner: str, confirmation: str) -> str:
        """Exactly this plan. `confirmation` is the name of the specification where something is destroyed."""
        ...

    async def destroy_infra(self, who: Principal, spec: str, runner: str, confirmation: str) -> str: ...

    async def say_of_plan(self, who: Principal, uid: str, *, agree: bool, comment: str) -> None: ...

    async def cancel_infra_job(self, who: Principal, uid: str, reason: str, confirmation: str) -> None: ...

    async def rerun_infra_job(self, who: Principal, uid: str) -> str: ...

    async def pin_infra_job(self, who: Principal, uid: str, runner: str) -> None: ...


class InfraStates(Protocol):
    """States, by the uids of their specifications."""

    async def infra_state(self, who: Principal, spec: str, before: int | None, limit: int) -> StateView: ...

    async def infra_state_diff(self, who: Principal, spec: str, since: int, to: int, *, values: bool) -> StateDiff: ...

    async def infra_state_file(self, who: Principal, spec: str, number: int | None) -> File: ...

    async def roll_infra_state_back(
        self, who: Principal, spec: str, number: int, reason: str, confirmation: str
    ) -> None: ...

    async def unlock_infra_state(self, who: Principal, spec: str, reason: str, lock: str) -> None: ...


class InfraRunners(Protocol):
    async def infra_runners(self, who: Principal) -> RunnerList: ...

    async def infra_runner(self, who: Principal, uid: str) -> RunnerView: ...

    async def register_runner(self, who: Principal, *, name: str, identity: str) -> NewRunner: ...

    async def mint_runner_token(self, who: Principal, *, label: str, hours: int) -> NewRunner: ...

    async def drain_runner(self, who: Principal, uid: str, *, drain: bool, reason: str) -> None: ...

    async def choose_runner(self, who: Principal, uid: str) -> None:
        """As the reader's default."""
        ...

    async def put_up_runner(self, who: Principal, *, name: str, identity: str, region: str, runner: str) -> str:
        """Answers the job, as the two below do."""
        ...

    async def update_runner(self, who: Principal, uid: str, runner: str) -> str: ...

    async def take_down_runner(self, who: Principal, uid: str, confirmation: str) -> str: ...

    async def remove_runner(self, who: Principal, uid: str, confirmation: str) -> None: ...


class InfraClouds(Protocol):
    async def cloud_identities(self, who: Principal) -> tuple[IdentityRow, ...]: ...

    async def cloud_identity(self, who: Principal, uid: str) -> IdentityView: ...

    async def begin_cloud_identity(self, who: Principal, provider: str, name: str) -> str: ...

    async def connect_cloud_identity(self, who: Principal, uid: str, values: Mapping[str, str]) -> str:
        """Answers the job that tries the connection."""
        ...

    async def bind_cloud_identity(self, who: Principal, uid: str, zones: Sequence[str]) -> None: ...

    async def refresh_cloud_identity(self, who: Principal, uid: str) -> str: ...

    async def disconnect_cloud_identity(self, who: Principal, uid: str, confirmation: str) -> None: ...

    async def infra_clusters(self, who: Principal, before: str, limit: int) -> ClusterList: ...


class Infrastructure(InfraSpecs, InfraWork, InfraStates, InfraRunners, InfraClouds, Protocol):
    """All of it."""
