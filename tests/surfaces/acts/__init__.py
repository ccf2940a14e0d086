"""The prepared calls, by what they are about. Importing this fills `support.acts.ACTS`."""

from surfaces.acts import deployments, identity, notify, organizations, roles, servers, workspace

__all__ = ["deployments", "identity", "notify", "organizations", "roles", "servers", "workspace"]
