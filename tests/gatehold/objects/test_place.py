"""Law: an object is created once and never overwritten; what is there is known by size and SHA-256, or read back."""

import pytest

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.place import BucketUnavailable, ObjectDiffers, ObjectMissing, ObjectPlace
from tests.gatehold.objects.conftest import KEY, Server, digest

DATA = b"what was recorded"


async def test_an_object_is_created(place: ObjectPlace, server: Server) -> None:
    """With its hash beside it; once more is as good as once."""
    for _ in range(2):
        await place.create("c/a.flow", DATA, digest(DATA))
    assert server.objects() == {"gateway-1/c/a.flow": DATA}
    said = server.client.head_object(Bucket="recordings", Key="gateway-1/c/a.flow")
    assert said["Metadata"] == {"sha256": digest(DATA)}
    await place.check("c/a.flow", len(DATA), digest(DATA))
    assert b"".join([piece async for piece in place.read("c/a.flow")]) == DATA
    await place.answers()


@pytest.mark.parametrize("other", [b"what was recordeD", b"", DATA + b"."])
async def test_other_bytes_stay_and_are_told(place: ObjectPlace, server: Server, other: bytes) -> None:
    """Whoever put them there."""
    server.put("gateway-1/c/a.flow", other)
    for work in (place.create("c/a.flow", DATA, digest(DATA)), place.check("c/a.flow", len(DATA), digest(DATA))):
        with pytest.raises(ObjectDiffers):
            await work
    assert server.objects() == {"gateway-1/c/a.flow": other}


async def test_the_same_bytes_without_a_hash_are_read(place: ObjectPlace, server: Server) -> None:
    """Put there by a restore, say."""
    server.put("gateway-1/c/a.flow", DATA)
    await place.check("c/a.flow", len(DATA), digest(DATA))


async def test_what_is_missing(place: ObjectPlace) -> None:
    """Is told apart from a bucket that does not answer."""
    with pytest.raises(ObjectMissing):
        _ = [piece async for piece in place.read("c/a.flow")]
    with pytest.raises(BucketUnavailable):
        await place.check("c/a.flow", 1, digest(b""))


async def test_a_bucket_that_is_away(place: ObjectPlace, server: Server) -> None:
    """The error names it, and no key; later it works again."""
    server.go()
    for work in (place.create("c/a.flow", DATA, digest(DATA)), place.answers()):
        with pytest.raises(BucketUnavailable, match="recordings") as raised:
            await work
        assert KEY not in str(raised.value)
    server.come()
    await place.create("c/a.flow", DATA, digest(DATA))


async def test_a_key_that_is_not_there(spec: RecordingsSpec, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named by its variable, and asked for anew by the next attempt."""
    place = ObjectPlace(spec)
    monkeypatch.delenv("BUCKET_KEY")
    with pytest.raises(BucketUnavailable, match="BUCKET_KEY"):
        await place.answers()
    monkeypatch.setenv("BUCKET_KEY", KEY)
    await place.answers()
