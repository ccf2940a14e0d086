"""The provider of an order. What speaks to one is imported with the first order for it."""

from __future__ import annotations

from quarterdeck.broker.execution.machine import Machine
from quarterdeck.broker.execution.orders import BrokerOrder
from quarterdeck.broker.execution.providers.protocol import Provider, without_credential
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.kernel.vault import Secret, conceal


def opened(context: JobContext, order: BrokerOrder, machine: Machine) -> Provider:
    """Raises `Invalid`: `provider_unsupported` for one that this worker cannot speak to, `provider_credential_missing`.

    The server's own worker works for every organization, and lends none what its machine is trusted with.
    """
    connection = order.connection
    credential: Secret[str] | None = conceal(connection.credential) if connection is not None else None
    config = dict(connection.config) if connection is not None else {}
    if order.provider_type == "quarterdeck" and machine.own:
        from quarterdeck.broker.execution.providers.own import OwnProvider

        return OwnProvider(context)
    if order.provider_type == "file" and machine.own and credential is not None:
        from quarterdeck.broker.execution.providers.file import FileProvider

        return FileProvider(machine.directory / "secrets", str(config["name"]), credential)
    if machine.own and credential is None:
        raise without_credential(order.provider_type[:40], "Give the connection a credential, or let an agent do it.")
    if order.provider_type == "vault":
        from quarterdeck.broker.execution.providers.vault import VaultProvider

        return VaultProvider.of(config, credential, machine.environment)
    if order.provider_type == "aws-sm":
        from quarterdeck.broker.execution.providers.aws import AwsProvider

        return AwsProvider.of(config, credential)
    if order.provider_type == "kubernetes":
        from quarterdeck.broker.execution.providers.kubernetes import KubernetesProvider

        return KubernetesProvider.of(config, credential, machine.environment)
    raise Invalid(
        f"This worker cannot speak to {order.provider_type[:40]}.",
        code="provider_unsupported",
        hint="Let an agent do it that can, or choose another connection.",
    )
