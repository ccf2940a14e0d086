"""Generated access domains, as the contract documents them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.fleet.edge.names import access_label, localhost_hostname, sslip_hostname
from quarterdeck.fleet.edge.routes import ProxyRoute, check_route
from quarterdeck.kernel.errors import ProviderFailure


def test_the_documented_example():
    assert sslip_hostname("web", "res_9xfzweik7akm", "127.0.0.1") == "web-fzweik7akm.127.0.0.1.sslip.io"
    assert localhost_hostname("web", "res_9xfzweik7akm") == "web-fzweik7akm.localhost"


def test_a_long_slug_is_cut_to_one_label_and_never_ends_in_a_dash():
    label = access_label("a" * 51 + "-" + "b" * 40, "res_9xfzweik7akm")
    assert label == "a" * 51 + "-fzweik7akm"
    assert len(access_label("a" * 200, "res_9xfzweik7akm")) == 63


@pytest.mark.parametrize("address", ["::1", "example.org", "", "127.0.0.256", "127.0.0.1/8"])
def test_an_address_that_is_not_ipv4_is_a_provider_failure(address: str):
    with pytest.raises(ProviderFailure):
        sslip_hostname("web", "res_9xfzweik7akm", address)


@given(slug=st.text(max_size=100), resource=st.from_regex(r"res_[0-9a-z]{12}", fullmatch=True))
def test_every_slug_gives_a_hostname_that_the_edge_takes(slug: str, resource: str):
    for hostname in (sslip_hostname(slug, resource, "203.0.113.250"), localhost_hostname(slug, resource)):
        assert hostname.split(".")[0].endswith("-" + resource[-10:])
        check_route(ProxyRoute(id="a", hostnames=(hostname,)))
