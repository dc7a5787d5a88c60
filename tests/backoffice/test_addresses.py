"""Which addresses are spoken to; the tests of the client show that they are asked."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError

from backoffice.kit.addresses import check_url, may_be_private, refusal

NEVER = [
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "::ffff:169.254.169.254", "0.0.0.0", "0.1.2.3",
    "::", "224.0.0.1", "ff02::1",
    "240.0.0.1", "255.255.255.255", "64:ff9b::169.254.169.254", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:0:a9:fea9:fe00:0", "64:ff9b:1::169.254.169.254", "::ffff:0:169.254.169.254", "2002:a9fe:a9fe::1",
    "::169.254.169.254", "2001:0:a9fe:a9fe::", "2001:0:102:304::5601:5601",
]  # fmt: skip
METADATA = {
    "AWS": "fd00:ec2::254",
    "AWS, for containers": "fd00:ec2::23",
    "Google Cloud": "fd20:ce::254",
    "Scaleway": "fd00:42::42",
    "Alibaba Cloud": "100.100.100.200",
    "Azure": "168.63.129.16",
    "Oracle Cloud": "192.0.0.192",
    "Azure, behind a translator": "64:ff9b::168.63.129.16",
    "Alibaba Cloud, mapped": "::ffff:100.100.100.200",
    "Alibaba Cloud, behind a local translator": "64:ff9b:1::100.100.100.200",
}
PRIVATE = [
    "10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "fd00::1", "fec0::1", "::ffff:10.0.0.1", "100.64.0.1",
    "198.18.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1::10.0.0.1", "2002:7f00:1::1", "::10.0.0.1",
    "::ffff:0:8.8.8.8", "2001:0:a00:1::f5ff:fffe", "2001:db8::1", "3fff::1", "5f00::1", "192.0.0.9", "192.0.0.170",
    "192.88.99.1", "::ffff:192.0.0.9",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::93.184.215.14", "::ffff:93.184.215.14", "168.63.129.17"]


ALL = [ip_network("0.0.0.0/0"), ip_network("::/0")]
LINK_LOCAL = ["169.254.1.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.1.1", "64:ff9b::169.254.1.1"]
NAMED = {  # an address, and the fewest networks that let it be contacted
    "10.0.0.1": ["10.0.0.0/8"],
    "::ffff:10.0.0.1": ["10.0.0.1/32"],
    "127.0.0.1": ["127.0.0.0/8"],
    "::1": ["::1"],
    "fd00::1": ["fd00::/8"],
    "64:ff9b::10.0.0.1": ["10.0.0.0/8"],
    "64:ff9b:1::10.0.0.1": ["10.0.0.0/8", "64:ff9b:1::/48"],
    "::10.0.0.1": ["10.0.0.0/8", "::/96"],
    "169.254.1.1": ["169.254.0.0/16"],
    "::ffff:169.254.1.1": ["169.254.1.0/24"],
    "fe80::1%eth0": ["fe80::/10"],
}


@pytest.mark.parametrize("peer", [*NEVER, *METADATA.values()], ids=[*NEVER, *METADATA])
def test_some_addresses_are_never_contacted(peer):
    everything = [*ALL, *(ip_network(name) for name in ("169.254.0.0/16", "fe80::/10", "169.254.169.254"))]
    assert "never contacted" in refusal(peer, everything)
    assert "never contacted" in refusal(peer, [])


@pytest.mark.parametrize("peer", PRIVATE)
def test_private_addresses_need_a_network_that_holds_them(peer):
    assert refusal(peer, ALL) == ""
    assert "a private address; if that is meant, name its network in the setting PRIVATE_NETWORKS" in refusal(peer, [])
    assert "a private address" in refusal(peer, [ip_network("172.16.0.0/12"), ip_network("fd12::/16")])


@pytest.mark.parametrize("peer", LINK_LOCAL)
def test_link_local_addresses_need_a_network_that_holds_no_others(peer):
    assert "a private address" in refusal(peer, [*ALL, ip_network("169.0.0.0/8"), ip_network("fe00::/9")])
    assert refusal(peer, [*ALL, ip_network("169.254.1.0/24"), ip_network("fe80::/64")]) == ""


@pytest.mark.parametrize(("peer", "names"), NAMED.items(), ids=NAMED)
def test_each_address_that_a_request_may_be_translated_to_is_named(peer, names):
    networks = [ip_network(name) for name in names]
    assert refusal(peer, networks) == ""
    for left_out in networks:
        assert refusal(peer, [one for one in networks if one != left_out])


@pytest.mark.parametrize("peer", PUBLIC)
def test_public_addresses(peer):
    assert refusal(peer, []) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://127.0.0.1:3999",
        "http://[::1]:8001/api/news",
        "http://127.1/",
        "https://bücher.example",
    ],
)
def test_addresses_that_a_target_may_have(url):
    check_url(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com", "begins with http"),
        ("file:///etc/passwd", "begins with http"),
        ("gopher://example.com", "begins with http"),
        ("//example.com", "begins with http"),
        ("http://", "begins with http"),
        ("http://:80", "begins with http"),
        ("http://example.com:0", "begins with http"),
        ("http://example.com:99999", "not an address"),
        ("http://[::1", "not an address"),
        ("http://user@example.com", "sign-in fields"),
        ("http://user:word@example.com", "sign-in fields"),
        ("http://@example.com", "sign-in fields"),
        ("http://:@example.com", "sign-in fields"),
        ("http://example.com?key=1", "'[?]' or '#'"),
        ("http://example.com/?", "'[?]' or '#'"),
        ("http://example.com/#top", "'[?]' or '#'"),
        ("http://exa\nmple.com", "white space"),
        ("http://example.com/a b", "white space"),
        ("http://example.com\t/", "white space"),
        ("http://evil.example\\.example.com", "backslash"),
        ("http://example.com/\0", "white space"),
        ("http://169.254.169.254/latest", "This is at 169.254.169.254, an address that is never contacted"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "never contacted"),
        ("http://2852039166/", "never contacted"),
        ("http://[fe80::1%25eth0]/", "This is at fe80::1%25eth0, a private address"),
        ("http://10.0.0.1/", "name its network in the setting PRIVATE_NETWORKS"),
        ("http://012.0.0.1/", "This is at 10.0.0.1, a private address"),
        ("http://[::ffff:169.254.169.254]/", "never contacted"),
        ("http://168.63.129.16/", "never contacted"),
    ],
)
def test_addresses_that_a_target_may_not_have(url, why):
    with pytest.raises(ValidationError, match=why):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "may_be"),
    [
        *(
            ("http://127.0.0.1:8080/token", True),
            ("http://keycloak:8080", True),
            ("http://idp.svc.cluster.local", True),
        ),
        *(("http://idp.internal", True), ("http://10.0.0.1", False), ("http://8.8.8.8", False)),
        *(
            ("http://login.example.com", False),
            ("http://internal.example.com", False),
            ("http://169.254.169.254", False),
        ),
    ],
)
def test_which_hosts_may_be_in_a_private_network(url, may_be, settings):
    assert may_be_private(url) is may_be
    settings.PRIVATE_NETWORKS = []
    assert not may_be_private(url)
