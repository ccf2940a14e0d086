"""Which numbers may be called: what clouds keep for their machines is nobody's."""

from __future__ import annotations

import ipaddress

import pytest

from quarterdeck.notify import addresses


@pytest.mark.parametrize(
    "number",
    [
        "169.254.169.254", "192.0.0.192", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254",
        "fec0::1", "::ffff:100.100.100.200", "64:ff9b::a9fe:a9fe", "64:ff9b::6464:64c8", "2002:c000:00c0::",
    ],
)  # fmt: skip
def test_nobody_calls_where_clouds_keep_their_credentials(number):
    address = ipaddress.ip_address(number)
    assert [addresses.allowed(address, near=near) for near in (True, False)] == [False, False]


@pytest.mark.parametrize(
    ("number", "near", "far"),
    [
        ("10.0.0.1", True, False), ("100.64.0.1", True, False), ("fd00::1", True, False), ("127.0.0.1", True, False),
        ("64:ff9b::7f00:1", True, False), ("93.184.216.34", True, True), ("2606:2800:220:1::1", True, True),
    ],
)  # fmt: skip
def test_private_addresses_are_called_for_the_first_organization_alone(number, near, far):
    address = ipaddress.ip_address(number)
    assert (addresses.allowed(address, near=True), addresses.allowed(address, near=False)) == (near, far)
