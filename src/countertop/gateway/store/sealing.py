"""Sealing: AES-256-GCM for everything that may not rest in the open.

A sealed value is `version (1 byte) ‖ key id (4) ‖ nonce (12) ‖ ciphertext and tag (16)`. Its purpose is authenticated with it, so
that what was sealed as one thing cannot be opened as another. Nonces are random: one key is good for 2**32 values.

Keys live in a key file that only its owner may read, as JSON: `{"current": "9f3a0c11", "keys": {"9f3a0c11": "…base64"}}`.
The first start makes it. A new key is added first and becomes the current one only when every node knows it, since whoever reads
a value needs its key; older keys stay for what they sealed, until `operations.sealing.reseal` has sealed everything anew.

What has to stay the same when keys change, such as the key of fingerprints, is derived from the file's `root`. A file that has
none derives it from its current key, and writes it down with the first new key.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from countertop.domain.errors import CountertopError
from countertop.domain.ids import RandomBytes

_VERSION: Final = b"\x01"
_KEY_ID: Final = 4
_NONCE: Final = 12
HEAD_BYTES: Final = len(_VERSION) + _KEY_ID
"""How many bytes of a sealed value say which key sealed it."""
_KEY: Final = 32
_MOST_KEPT: Final = 1024


class Broken(CountertopError):
    """A sealed value that cannot be opened: changed, of another purpose, or sealed with a key that is not there."""


class KeyFileUnusable(CountertopError):
    """The key file cannot be used; the text says why and names the file, never its content."""


class Keyring:
    """The keys, by id, and which of them seals."""

    def __init__(self, current: bytes, keys: Mapping[bytes, bytes], root: bytes | None = None) -> None:
        self.current = current
        self._keys = dict(keys)
        self.root: Final = root or _derived(self._keys[current], "root")

    @classmethod
    def new(cls, random: RandomBytes = os.urandom) -> Keyring:
        """A keyring with one new key."""
        key_id = random(_KEY_ID)
        return cls(key_id, {key_id: random(_KEY)})

    def with_key_added(self, random: RandomBytes = os.urandom) -> Keyring:
        """The same keys and a new one, which can open but does not seal yet."""
        key_id = random(_KEY_ID)
        while key_id in self._keys:
            key_id = random(_KEY_ID)
        return Keyring(self.current, {**self._keys, key_id: random(_KEY)}, self.root)

    def with_newest_current(self) -> Keyring:
        """The same keys; the one that was added last seals from now on."""
        return Keyring(next(reversed(self._keys)), self._keys, self.root)

    def with_new_key(self, random: RandomBytes = os.urandom) -> Keyring:
        """The same keys and a new one, which seals from now on."""
        return self.with_key_added(random).with_newest_current()

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._keys)

    def only_current(self) -> Keyring:
        """Without the older keys: what they sealed can never be opened again."""
        return Keyring(self.current, {self.current: self._keys[self.current]}, self.root)

    def ciphers(self) -> dict[bytes, AESGCM]:
        """A cipher for each key id."""
        return {key_id: AESGCM(key) for key_id, key in self._keys.items()}

    def dump(self) -> str:
        """The key file's content."""
        keys = {key_id.hex(): base64.b64encode(key).decode() for key_id, key in self._keys.items()}
        root = base64.b64encode(self.root).decode()
        return json.dumps({"current": self.current.hex(), "keys": keys, "root": root}, indent=2) + "\n"

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """The opposite of `dump`. Raises ValueError if the text is not that."""
        try:
            content = json.loads(text)
            keys = {bytes.fromhex(key_id): base64.b64decode(key, validate=True) for key_id, key in content["keys"].items()}
            current = bytes.fromhex(content["current"])
            root = base64.b64decode(content["root"], validate=True) if "root" in content else None
        except (AttributeError, KeyError, TypeError, ValueError, binascii.Error):
            raise ValueError("not a keyring") from None
        if current not in keys or any(len(key_id) != _KEY_ID or len(key) != _KEY for key_id, key in keys.items()):
            raise ValueError("not a keyring")
        return cls(current, keys, root)


class Sealer:
    """Seals with the current key and opens with any. Safe to share between threads, also while its keys are changed."""

    def __init__(self, keyring: Keyring) -> None:
        self._root = keyring.root
        self.use(keyring)

    def use(self, keyring: Keyring) -> None:
        """Works with these keys from now on; the root stays what it was."""
        self._ciphers = keyring.ciphers()
        self._current = (_VERSION + keyring.current, self._ciphers[keyring.current])
        self._kept = lru_cache(_MOST_KEPT)(self.unseal)

    @property
    def head(self) -> bytes:
        """What every value begins with that the current key sealed."""
        return self._current[0]

    def derive(self, purpose: str) -> bytes:
        """32 secret bytes for a purpose: the same on every node and after every change of keys (HKDF, RFC 5869)."""
        return _derived(self._root, purpose)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """The sealed form of `plain`, openable for the same purpose only."""
        nonce = os.urandom(_NONCE)
        head, cipher = self._current
        return head + nonce + cipher.encrypt(nonce, plain, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed. Raises Broken if it was changed, is of another purpose, or its key is not there."""
        cipher = self._ciphers.get(sealed[len(_VERSION) : HEAD_BYTES])
        if cipher is None or sealed[: len(_VERSION)] != _VERSION:
            raise Broken("sealed with a key that is not in the keyring")
        try:
            return cipher.decrypt(sealed[HEAD_BYTES : HEAD_BYTES + _NONCE], sealed[HEAD_BYTES + _NONCE :], purpose.encode())
        except (InvalidTag, ValueError):
            raise Broken(f"not a sealed {purpose}") from None

    def unseal_kept(self, sealed: bytes, purpose: str) -> bytes:
        """As `unseal`, for what is needed again and again: it stays in memory, opened, until the keys change."""
        return self._kept(sealed, purpose)


def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=f"countertop {purpose}".encode()).derive(secret)


def load_keyring(path: Path, *, create: bool = True) -> Keyring:
    """The keyring in a file; makes the file with a new key if it is not there.

    Raises KeyFileUnusable if others than its owner may read the file, it is not a keyring, or it is missing and not to be made.
    """
    if create:
        _create(path)
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:
                raise KeyFileUnusable(f"{path} may be read by others than its owner (mode {mode:04o}); it must have mode 0600")
            return Keyring.parse(file.read())
    except FileNotFoundError:
        raise KeyFileUnusable(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        why = "is not a key file" if isinstance(error, ValueError) else f"cannot be read ({error.strerror})"
        raise KeyFileUnusable(f"{path} {why}") from None


def save_keyring(path: Path, keyring: Keyring) -> None:
    """Replaces the key file in one step, so that no crash can leave half of it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write(fresh, keyring)
    fresh.replace(path)
    _sync_folder(path.parent)


def _create(path: Path) -> None:
    if path.exists():
        return
    # Written whole under another name and linked into place: of two first starts one wins, and nobody reads half a file.
    draft = path.with_name(f"{path.name}.{os.urandom(6).hex()}")
    try:
        _write(draft, Keyring.new())
        os.link(draft, path)
        _sync_folder(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise KeyFileUnusable(f"{path} cannot be made ({error.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, keyring: Keyring) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(keyring.dump())
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
