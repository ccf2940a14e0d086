"""The prepared calls, by what they are about. Importing this fills `support.acts.ACTS`."""

from surfaces.acts import deployments, identity, organizations, roles, servers, tunnels, workspace

__all__ = ["deployments", "identity", "organizations", "roles", "servers", "tunnels", "workspace"]
