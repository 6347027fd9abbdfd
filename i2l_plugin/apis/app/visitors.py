"""Who is who: a signed random number in a cookie, nothing about the person."""

from __future__ import annotations

import hashlib
import hmac
import secrets


class Visitors:
    """Gives out names that only this server can have given out, and remembers none of them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self) -> str:
        """A new name of 256 random bits, with its signature."""
        name = secrets.token_urlsafe(32)
        return f'{name}.{self._sign(name)}'

    def knows(self, token: str) -> bool:
        """Whether `issue` of this object made it."""
        name, _, signature = token.partition('.')
        return hmac.compare_digest(signature.encode(), self._sign(name).encode())

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()
