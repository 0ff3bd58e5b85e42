from __future__ import annotations

import pytest

from ci_results.wire.addresses import MAX_ADDRESS, email_address, web_address
from ci_results.wire.validation import Wrong

RELATIVE = "Input should be a valid URL, relative URL without a base"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/Path", "https://example.com/Path"),
        ("http://example.com:80/a/./b/../c", "http://example.com/a/c"),
        ("https://example.com:8443?a=b c#d", "https://example.com:8443/?a=b%20c#d"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("  http://example.com/x\n", "http://example.com/x"),
        ("http:\\\\example.com\\x", "http://example.com/x"),
        ("http://[0:0::1]:80/", "http://[::1]/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://user:pa ss@example.com", "http://user:pa%20ss@example.com/"),
        ("http://example.com/%7Euser?q=%20", "http://example.com/%7Euser?q=%20"),
    ],
)
def test_a_web_address_is_stored_normalised(given: str, stored: str) -> None:
    assert web_address(given) == stored
    assert web_address(stored) == stored


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("example.com/x", "url_parsing", RELATIVE),
        ("/x", "url_parsing", RELATIVE),
        ("", "url_parsing", "Input should be a valid URL, input is empty"),
        ("http://", "url_parsing", "Input should be a valid URL, empty host"),
        ("http://example.com:port/", "url_parsing", "Input should be a valid URL, invalid port number"),
        ("javascript:alert(1)", "url_scheme", "URL scheme should be 'http' or 'https'"),
        ("ftp://example.com/", "url_scheme", "URL scheme should be 'http' or 'https'"),
        (12, "url_type", "URL input should be a string or URL"),
        (None, "url_type", "URL input should be a string or URL"),
        (["http://example.com"], "url_type", "URL input should be a string or URL"),
        (
            "http://example.com/" + "x" * MAX_ADDRESS,
            "url_too_long",
            "URL should have at most 8192 characters",
        ),
    ],
)
def test_what_is_no_web_address_is_refused_in_the_peers_words(given: object, kind: str, message: str) -> None:
    with pytest.raises(Wrong) as caught:
        web_address(given)
    assert (caught.value.kind, caught.value.message) == (kind, message)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("ci@example.com", "ci@example.com"),
        ("Jane.Doe@EXAMPLE.Com", "Jane.Doe@example.com"),
        ("Jane Doe <Jane@Example.Com>", "Jane@example.com"),
        ('"Doe, Jane" <jane@example.com>', "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        (" jane@example.com ", "jane@example.com"),
        ("jané@bücher.example.com", "jané@bücher.example.com"),
    ],
)
def test_an_email_address_loses_the_name_before_it_and_capitals_in_its_domain(
    given: str, stored: str
) -> None:
    assert email_address(given) == stored


@pytest.mark.parametrize(
    "given",
    [
        *("", "jane", "jane@", "@example.com", "a@b", "a b@example.com", "Jane <jane>"),
        *("a@example.com\r\nBcc: b@c.de", "a@example..com", "a@[127.0.0.1]"),
        *("a@" + "x" * 5000, "<" * 3000 + ">"),
    ],
)
def test_what_is_no_email_address_is_refused_in_the_peers_words(given: str) -> None:
    with pytest.raises(Wrong, match="value is not a valid email address: ") as caught:
        email_address(given)
    assert caught.value.kind == "value_error"


@pytest.mark.parametrize("given", [None, 3, True, ["a@example.com"], {}])
def test_an_email_address_is_a_text(given: object) -> None:
    with pytest.raises(Wrong, match="Input should be a valid string"):
        email_address(given)
