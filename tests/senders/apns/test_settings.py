"""Pushes are set up right, or not at all: a key that is none is found when the program starts."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.apple.papers import Papers
from toastkit.errors import ConfigError
from toastkit.senders.apns import ApnsSettings

pytestmark = pytest.mark.plain


def pem(key: Any, secret: Any = None) -> bytes:
    secrecy = BestAvailableEncryption(b"pass") if secret else NoEncryption()
    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secrecy)
    return raw


def one_line(key: Any) -> bytes:
    return b"".join(pem(key).splitlines()[1:-1])


def made(papers: Papers, **given: str) -> ApnsSettings:
    usual = {"team_id": "TEAM123456", "key_id": "KEY1234567", "key_file": str(papers.key_file)}
    return ApnsSettings(**usual | given)


KEYS = {
    "empty": b"",
    "no text": b"\xff\x00" * 40,
    "broken": b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
    "public": ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "another curve": pem(ec.generate_private_key(ec.SECP384R1())),
    "RSA": pem(rsa.generate_private_key(65537, 2048)),
    "a password": pem(ec.generate_private_key(ec.SECP256R1()), "pass"),
}


@pytest.mark.parametrize("content", KEYS.values(), ids=KEYS)
def test_a_key_that_cannot_sign_is_refused_and_never_shown(
    papers: Papers, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "AuthKey.p8"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"AuthKey\.p8 .*the developer account") as caught:
        made(papers, key_file=str(file))
    assert caught.value.__context__ is None
    lines = [line for line in content.decode("latin-1").splitlines() if line]
    assert not any(line in str(caught.value) for line in lines)


def test_a_key_that_is_not_there_is_named(papers: Papers, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.p8 cannot be read: No such file"):
        made(papers, key_file=str(tmp_path / "none.p8"))


@pytest.mark.parametrize("spelled", [pem, lambda key: b64encode(pem(key)), one_line])
def test_a_key_in_the_place_of_its_path_is_never_shown(papers: Papers, spelled: Any) -> None:
    text = spelled(ec.generate_private_key(ec.SECP256R1())).decode()
    with pytest.raises(ConfigError, match="must be the path") as caught:
        made(papers, key_file=text)
    assert not any(line in str(caught.value) for line in text.splitlines())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"team_id": ""}, "apns_team_id"),
        ({"key_id": "KEY 12\r\n"}, "apns_key_id"),
        ({"key_file": ""}, "apns_key_file"),
        ({"host": ""}, "apns_host"),
        ({"host": "https://api.push.apple.com"}, "apns_host"),
        ({"host": "localhost:70000"}, "apns_host"),
        ({"sandbox_host": "a b"}, "apns_sandbox_host"),
        ({"ca_file": "/nowhere.pem"}, "apns_ca_file /nowhere.pem"),
    ],
)
def test_a_setting_that_cannot_be_is_named(papers: Papers, given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(papers, **given)


@pytest.mark.parametrize(
    ("host", "sandbox", "expected"),
    [
        ("api.push.apple.com", "", "api.sandbox.push.apple.com"),
        ("api.push.apple.com:2197", "", "api.sandbox.push.apple.com:2197"),
        ("API.push.apple.com", "", "api.sandbox.push.apple.com"),
        ("localhost:1", "", "localhost:1"),
        ("localhost:1", "localhost:2", "localhost:2"),
    ],
)
def test_there_is_a_host_for_each_environment(
    papers: Papers, host: str, sandbox: str, expected: str
) -> None:
    settings = made(papers, host=host, sandbox_host=sandbox)
    assert (settings.host_of("production"), settings.host_of("sandbox")) == (host, expected)


def test_the_key_is_in_no_text_of_the_settings(papers: Papers) -> None:
    assert "key=" not in repr(made(papers))
