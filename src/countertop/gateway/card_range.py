"""The operator's own card ranges, from the files that the settings name."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from countertop.domain.allowlist import EMPTY, Allowlist, open_allowlist
from countertop.domain.errors import NotReadable
from countertop.gateway.settings import SettingsError


def load_allowlist(file: Path | None, key_file: Path | None) -> Allowlist:
    """The allowlist in a file, its signature in the file of the same name with `.sig` after it; without a file the empty list.

    Raises SettingsError if a file is missing or the list is not signed by the key.
    """
    if file is None or key_file is None:
        return EMPTY
    try:
        signature = file.with_name(f"{file.name}.sig").read_bytes()
        return open_allowlist(file.read_bytes(), signature, _key(key_file))
    except OSError as error:
        raise SettingsError(f"ALLOWLIST: {error.filename} cannot be read: {error.strerror}") from None
    except NotReadable as error:
        raise SettingsError(f"ALLOWLIST: {error}") from None


def _key(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"ALLOWLIST_KEY: {file} is not an Ed25519 public key (PEM)")
    return key
