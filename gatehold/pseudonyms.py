"""The key under which pseudonyms are made: one per installation, in ``keys/pseudonym.key``."""

from pathlib import Path

from gatehold.keyfile import key_file


def pseudonym_key(data_dir: Path) -> bytes:
    """32 bytes, made on first use. Raises KeyFileError where the file cannot be used."""
    return key_file(data_dir / "keys" / "pseudonym.key")
