"""Copies of checkpoints in a bucket, created and never overwritten; keys come from the environment of that store."""

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store, from_url

from gatehold.config.addresses import is_fetchable
from gatehold.config.recordings import ObjectStoreSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.sinks.anchors import check_same, copy_name, names_by_chain
from recordings.checkpoints import Checkpoint

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config


class Bucket:
    """``s3://``, ``gs://`` or ``az://``, and a prefix."""

    def __init__(self, url: str, reached: ObjectStoreSpec | None = None) -> None:
        """As ``open_bucket``."""
        self._host = urlsplit(url).netloc
        self._store = open_bucket(url, reached)

    def keep(self, checkpoint: Checkpoint) -> bool:
        """Create an object."""
        name = copy_name(checkpoint)
        try:
            obstore.put(self._store, name, checkpoint.line() + b"\n", mode="create")
        except (AlreadyExistsError, PreconditionError):
            return check_same(name, self._read(name), checkpoint)
        except BaseError as error:
            raise OSError(f"{self._host}: {type(error).__name__}") from None
        return True

    def newest(self) -> dict[str, Checkpoint]:
        """Read the last object of each chain."""
        try:
            listed = [str(each["path"]).rpartition("/")[2] for page in obstore.list(self._store) for each in page]
        except BaseError as error:
            raise OSError(f"{self._host}: {type(error).__name__}") from None
        names = names_by_chain(listed)
        return {chain: found for chain, each in names.items() if (found := self._read(each[0])) is not None}

    def _read(self, name: str) -> Checkpoint | None:
        try:
            lines = bytes(obstore.get(self._store, name).bytes()).splitlines()
        except BaseError as error:
            raise OSError(f"{self._host}: {type(error).__name__}") from None
        return Checkpoint.parse(lines[0]) if len(lines) == 1 else None


def open_bucket(url: str, reached: ObjectStoreSpec | None = None, *, timeout: str = "20s") -> "ObjectStore":
    """``s3://``, ``gs://`` or ``az://``, and a prefix; connects to nothing yet.

    ``reached``: how an S3 store is reached, where not as the environment says. ``timeout``: of one request. Raises
    ValueError, which names no key.
    """
    host = urlsplit(url).netloc
    options: ClientConfig = {"timeout": timeout, "connect_timeout": "10s", "allow_http": _is_here(reached)}
    if reached is not None and reached.ca is not None:
        try:
            options["root_certificate"] = reached.ca.read_bytes()
        except OSError as error:
            raise ValueError(f"{reached.ca}: {error.strerror}") from None
    config = _config(reached) if reached is not None and url.startswith("s3://") else None
    retries: RetryConfig = {"max_retries": 2}
    try:
        if config is not None:
            return S3Store.from_url(url, config=config, client_options=options, retry_config=retries)
        return from_url(url, client_options=options, retry_config=retries)
    except (BaseError, ValueError) as error:
        raise ValueError(f"{host}: {type(error).__name__}") from None


def _config(reached: ObjectStoreSpec) -> "S3Config":
    """What is said there; the rest comes from the environment. Raises ValueError where a key is not there."""
    config: S3Config = {}
    if reached.endpoint is not None:
        config["endpoint"] = reached.endpoint
    if reached.region is not None:
        config["region"] = reached.region
    try:
        if reached.access_key_id is not None and reached.secret_access_key is not None:
            config["access_key_id"] = reached.access_key_id.resolve().reveal()
            config["secret_access_key"] = reached.secret_access_key.resolve().reveal()
    except CredentialUnavailable as error:
        raise ValueError(str(error)) from None
    return config


def _is_here(reached: ObjectStoreSpec | None) -> bool:
    """Is the store this machine? Others are spoken to over TLS alone."""
    if reached is not None and reached.endpoint is not None:
        return is_fetchable(reached.endpoint)
    named = [os.environ[name] for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") if os.environ.get(name)]
    return bool(named) and all(is_fetchable(url) for url in named)
