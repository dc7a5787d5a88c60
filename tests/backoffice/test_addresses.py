"""Which addresses are spoken to; the tests of the client show that they are asked."""

import pytest
from django.core.exceptions import ValidationError

from backoffice.kit.addresses import check_url, refusal

NEVER = [
    "169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1",
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


@pytest.mark.parametrize("peer", [*NEVER, *METADATA.values()], ids=[*NEVER, *METADATA])
def test_some_addresses_are_never_contacted(peer):
    assert "never contacted" in refusal(peer, allow_private=True)
    assert "never contacted" in refusal(peer, allow_private=False)


@pytest.mark.parametrize("peer", PRIVATE)
def test_private_addresses_need_the_switch(peer):
    assert refusal(peer, allow_private=True) == ""
    assert "a private address" in refusal(peer, allow_private=False)


@pytest.mark.parametrize("peer", PUBLIC)
def test_public_addresses(peer):
    assert refusal(peer, allow_private=False) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://127.0.0.1:3999",
        "http://[::1]:8001/api/news",
        "http://10.0.0.1/",
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
        ("http://[fe80::1%25eth0]/", "never contacted"),
        ("http://[::ffff:169.254.169.254]/", "never contacted"),
        ("http://168.63.129.16/", "never contacted"),
    ],
)
def test_addresses_that_a_target_may_not_have(url, why):
    with pytest.raises(ValidationError, match=why):
        check_url(url)
