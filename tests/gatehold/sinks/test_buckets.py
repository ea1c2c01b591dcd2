"""Law: a bucket keeps copies as a directory does: created once, never overwritten, the newest of each chain read back."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pydantic import TypeAdapter

from gatehold.config.recordings import ObjectStoreSpec
from gatehold.sinks.anchors import behind, newest_checkpoint
from gatehold.sinks.buckets import Bucket
from tests.gatehold.sinks.conftest import JournalUnderTest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An S3 server with a bucket, over HTTP."""
    import boto3

    for name in [name for name in os.environ if "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="anchors")
    yield Bucket("s3://anchors/gateway-1")
    server.stop()


def test_copies_in_a_bucket(bucket: Bucket, journal: JournalUnderTest) -> None:
    """As in a directory, and a roll-back is found by it."""
    first = newest_checkpoint(journal.data_dir)
    assert first
    assert bucket.newest() == {}
    assert bucket.keep(first)
    assert not bucket.keep(first)
    with pytest.raises(OSError, match="vouches for something else"):
        bucket.keep(replace(first, sha256="ab" * 32))
    journal.write(12)
    journal.restart()
    last = newest_checkpoint(journal.data_dir)
    assert last
    assert bucket.keep(last)
    assert bucket.newest() == {last.chain: last}
    assert behind(journal.data_dir, bucket) is None
    assert bucket.keep(replace(last, seq=last.seq + 100))
    assert behind(journal.data_dir, bucket) is not None


def test_one_that_is_not_there(bucket: Bucket, journal: JournalUnderTest) -> None:
    """An OSError that names no key."""
    checkpoint = newest_checkpoint(journal.data_dir)
    assert checkpoint
    for work in (lambda: Bucket("s3://missing/x").keep(checkpoint), lambda: Bucket("s3://missing/x").newest()):
        with pytest.raises(OSError, match="missing") as raised:
            work()
        assert "test" not in str(raised.value)


def test_one_that_is_reached_otherwise(
    bucket: Bucket, journal: JournalUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the endpoint and the keys of the configuration, not by those of the environment."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    for name in (*ENVIRONMENT, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("BUCKET_KEY", "planted")
    given = {"endpoint": endpoint, "region": "us-east-1", "accessKeyId": "id", "secretAccessKey": "${env:BUCKET_KEY}"}
    reached = TypeAdapter(ObjectStoreSpec).validate_python(given, context={"base": Path("/")})
    checkpoint = newest_checkpoint(journal.data_dir)
    assert checkpoint
    assert Bucket("s3://anchors/other", reached).keep(checkpoint)
    monkeypatch.delenv("BUCKET_KEY")
    with pytest.raises(ValueError, match="BUCKET_KEY"):
        Bucket("s3://anchors/other", reached)
