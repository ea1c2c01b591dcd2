"""Law: an object is created once and never overwritten; what is there is known by size and SHA-256, or read back."""

import pytest

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.place import BucketUnavailable, ObjectDiffers, ObjectMissing, ObjectPlace
from tests.gatehold.objects.conftest import KEY, Server, digest

DATA = b"what was recorded"


def test_an_object_is_created(place: ObjectPlace, server: Server) -> None:
    """With its hash beside it; once more is as good as once."""
    for _ in range(2):
        place.create("c/a.flow", DATA, digest(DATA))
    assert server.objects() == {"gateway-1/c/a.flow": DATA}
    said = server.client.head_object(Bucket="recordings", Key="gateway-1/c/a.flow")
    assert said["Metadata"] == {"sha256": digest(DATA)}
    place.check("c/a.flow", len(DATA), digest(DATA))
    assert b"".join(place.read("c/a.flow")) == DATA
    place.answers()


@pytest.mark.parametrize("other", [b"what was recordeD", b"", DATA + b"."])
def test_other_bytes_stay_and_are_told(place: ObjectPlace, server: Server, other: bytes) -> None:
    """Whoever put them there."""
    server.put("gateway-1/c/a.flow", other)
    with pytest.raises(ObjectDiffers):
        place.create("c/a.flow", DATA, digest(DATA))
    with pytest.raises(ObjectDiffers):
        place.check("c/a.flow", len(DATA), digest(DATA))
    assert server.objects() == {"gateway-1/c/a.flow": other}


def test_the_same_bytes_without_a_hash_are_read(place: ObjectPlace, server: Server) -> None:
    """Put there by a restore, say."""
    server.put("gateway-1/c/a.flow", DATA)
    place.check("c/a.flow", len(DATA), digest(DATA))


def test_what_is_missing(place: ObjectPlace) -> None:
    """Is told apart from a bucket that does not answer."""
    with pytest.raises(ObjectMissing):
        list(place.read("c/a.flow"))
    with pytest.raises(BucketUnavailable):
        place.check("c/a.flow", 1, digest(b""))


def test_names_are_listed(place: ObjectPlace, server: Server) -> None:
    """Below the prefix, and from a folder on."""
    for name in ("c/recordings/a.flow", "c/journal/main/1", "d/x", "c2/y"):
        server.put(f"gateway-1/{name}", b"")
    server.put("gateway-10/z/z", b"")
    assert place.folders() == ["c", "c2", "d"]
    assert place.folders("c") == ["journal", "recordings"]
    assert place.names("c") == ["journal/main/1", "recordings/a.flow"]
    assert place.folders("other") == place.names("other") == []


def test_a_bucket_that_is_away(place: ObjectPlace, server: Server) -> None:
    """The error names it, and no key; later it works again."""
    server.go()
    for work in (
        lambda: place.create("c/a.flow", DATA, digest(DATA)),
        place.answers,
        place.folders,
        lambda: place.names("c"),
    ):
        with pytest.raises(BucketUnavailable, match="recordings") as raised:
            work()
        assert KEY not in str(raised.value)
    server.come()
    place.create("c/a.flow", DATA, digest(DATA))


def test_a_key_that_is_not_there(spec: RecordingsSpec, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named by its variable, and asked for anew by the next attempt."""
    place = ObjectPlace(spec)
    monkeypatch.delenv("BUCKET_KEY")
    with pytest.raises(BucketUnavailable, match="BUCKET_KEY"):
        place.answers()
    monkeypatch.setenv("BUCKET_KEY", KEY)
    place.answers()
