"""A client is known by what it can't write itself: headers of a proxy count where a trusted one sent them."""

from ipaddress import ip_network

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from backoffice.kit.clients import TrustedProxyMiddleware, client_address
from tests.backoffice.test_settings import PRODUCTION, refusal, settings_with

PROXY, OUTER_PROXY, CLIENT, OTHER = "10.0.0.5", "192.0.2.9", "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def trusted(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network(OUTER_PROXY), ip_network("2001:db8:9::/48")]


def seen(peer, **headers):
    """The request as views see it."""
    headers = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    request = RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers)
    TrustedProxyMiddleware(lambda request: HttpResponse())(request)
    return request


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (CLIENT, None, CLIENT),
        (CLIENT, OTHER, CLIENT),
        (PROXY, None, PROXY),
        (PROXY, "", PROXY),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{OTHER}, {CLIENT}", CLIENT),
        (PROXY, f"{OTHER}, {CLIENT}, {OUTER_PROXY}", CLIENT),
        (PROXY, f"{OTHER},{CLIENT} ,{OUTER_PROXY},10.1.1.1", CLIENT),
        (PROXY, "10.1.1.1", "10.1.1.1"),
        (PROXY, f"{OTHER}, unknown", None),
        (PROXY, f"{OTHER}, ", None),
        ("2001:db8:9::1", CLIENT, CLIENT),
        ("::ffff:10.0.0.5", CLIENT, CLIENT),
        ("", None, None),
        ("", OTHER, None),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", None, CLIENT),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_has(peer, forwarded, expected):
    headers = {} if forwarded is None else {"For": forwarded}
    assert client_address(seen(peer, **headers)) == expected


@pytest.mark.parametrize(("peer", "secure"), [(PROXY, True), (CLIENT, False), ("", False)])
def test_only_a_trusted_proxy_says_that_a_request_was_encrypted(peer, secure):
    assert seen(peer, Proto="https").is_secure() is secure


@pytest.mark.parametrize(("peer", "status"), [(PROXY, 200), (CLIENT, 301)])
def test_who_claims_to_come_through_a_proxy_is_redirected_to_https(settings, peer, status):
    settings.SECURE_SSL_REDIRECT = True
    assert Client(REMOTE_ADDR=peer).get("/api/docs", headers={"X-Forwarded-Proto": "https"}).status_code == status


def test_networks_are_read_from_the_environment(tmp_path):
    read = settings_with(tmp_path, {**PRODUCTION, "TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,2001:db8::/32"})
    assert [*map(str, read.TRUSTED_PROXIES)] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("true", "write 10.0.0.0/8, fd00::/8 or an address"),
        ("10.0.0.1/8", "write 10.0.0.0/8, or the prefix that is meant"),
        ("proxy.example.com", "is not a network"),
        ("0.0.0.0/0", "write the networks that are meant"),
        ("::/0", "write the networks that are meant"),
    ],
)
def test_what_is_not_a_network_stops_the_program(tmp_path, text, cure):
    assert cure in refusal(tmp_path, {**PRODUCTION, "TRUSTED_PROXIES": text})
