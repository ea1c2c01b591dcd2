"""What a fresh cluster holds."""

import base64
import json

from gatehold.demo.kubernetes.resources import RESOURCES, SECRETS
from gatehold.demo.kubernetes.seed import LAST_APPLIED, PASSWORDS, seeded_store
from gatehold.demo.kubernetes.structs import conform
from gatehold.demo.kubernetes.validation import validate


def test_every_start_is_the_same() -> None:
    """Names, uids and versions agree between two stores; only times differ."""

    def identities() -> set[tuple[str, str, str]]:
        store = seeded_store()
        return {
            (item["metadata"]["name"], item["metadata"]["uid"], item["metadata"]["resourceVersion"])
            for resource in RESOURCES
            for item in store.items(resource)
        }

    assert identities() == identities()


def test_objects_are_what_the_server_would_keep() -> None:
    """Each is valid and in the form in which objects are stored."""
    store = seeded_store()
    for resource in RESOURCES:
        for item in store.items(resource):
            validate(item, resource)
            again, unknown = conform(item, resource.type)
            assert (again, unknown) == (item, []), item["metadata"]["name"]


def test_secrets_are_planted() -> None:
    """The password is in the data and, in plain text, in the annotation."""
    store = seeded_store()
    for namespace, password in PASSWORDS.items():
        secret = store.get(SECRETS, namespace, "db-credentials")
        assert base64.b64decode(secret["data"]["password"]).decode() == password
        assert json.loads(secret["metadata"]["annotations"][LAST_APPLIED])["stringData"]["password"] == password
