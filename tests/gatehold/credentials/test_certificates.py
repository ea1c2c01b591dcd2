"""Client certificates as files that TLS can use."""

import os
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.certificates import store


def test_a_pair_becomes_one_file_for_its_owner(tmp_path: Path, make_pair: Callable[..., Any]) -> None:
    """TLS can load it; nobody else can read it; its end is known."""
    ends = datetime(2027, 3, 1, tzinfo=UTC)
    pair = make_pair(ends)
    file, until = store(tmp_path / "keys", "main", pair.certificate, Secret(pair.key))
    assert until == ends.timestamp()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file)
    assert store(tmp_path / "keys", "main", pair.certificate, Secret(pair.key))[0] == file


def test_another_certificate_is_another_file_and_old_ones_go(tmp_path: Path, make_pair: Callable[..., Any]) -> None:
    """The one before stays for connections under way; those of other targets are not touched."""
    other, _ = store(tmp_path, "main-2", *_args(make_pair()))
    files = []
    for moment in range(3):
        file, _ = store(tmp_path, "main", *_args(make_pair()))
        os.utime(file, (moment, moment))
        files.append(file)
    assert sorted(tmp_path.iterdir()) == sorted([other, *files[1:]])


def _args(pair: Any) -> tuple[str, Secret]:
    return pair.certificate, Secret(pair.key)


def test_names_stay_inside(tmp_path: Path, pair: Any) -> None:
    """Whatever an owner is called, the file is in the directory."""
    file, _ = store(tmp_path, "../../Etc/x", *_args(pair))
    assert file.parent == tmp_path


def test_pairs_that_do_not_belong_together(tmp_path: Path, make_pair: Callable[..., Any]) -> None:
    """Nothing is written, nothing of them is told."""
    one, two = make_pair(), make_pair()
    for certificate, key in ((one.certificate, two.key), ("planted", one.key), (one.certificate, "planted")):
        with pytest.raises(CredentialUnavailable, match="client") as error:
            store(tmp_path, "main", certificate, Secret(key))
        assert "planted" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written(tmp_path: Path, pair: Any) -> None:
    """Told with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CredentialUnavailable, match="cannot be kept"):
        store(tmp_path / "file", "main", *_args(pair))
