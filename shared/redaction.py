"""Secrets taken out of texts that others wrote: errors of libraries and servers, tracebacks, quoted addresses.

A last line of defence. What this code logs and stores itself holds no secret to begin with.
"""

from __future__ import annotations

import functools
import re

MASK = "***"
_NAMES = (
    r"(?:[a-z_]{0,16}token|[a-z_]{0,16}secret[a-z_]{0,8}|passw(?:or)?d|pepper|signature|x-amz-signature"
    r"|api_key|appsecret_proof|code)"
)
# What is written without quotes too: in connection strings, in environments.
_BARE = r"[a-z_]{0,16}(?:token|passw(?:or)?d|secret(?:_[a-z]{1,12}){0,2}|signature|api_key)"
_WORDS = ("token", "secret", "password", "passwd", "authorization", "api_key", "pepper", "signature", "cookie")

# What each leaves is enough to know the thing by: a host, a name, the public half of a key.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://)[^\s/'\"]*@"), rf"\1{MASK}@"),
    (re.compile(r"\b(bearer|basic)\s+(?!authenticat|authoriz)[\w~+/.=%|-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(ids_[0-9a-f]{16})_[\w-]+", re.ASCII), rf"\1_{MASK}"),
    (re.compile(r"\b(?:IG|EA)[A-Za-z0-9_-]{30,}", re.ASCII), MASK),
    (re.compile(rf"([?&]{_NAMES}=)[^\s&#'\"]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"(\\?[\"']{_NAMES}\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"(\b{_NAMES}=b?[\"'])[^\"']+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"(\b{_BARE}=)[^\s&,;)\"']{{3,}}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b((?:authorization|cookie): )(?!basic |bearer )[^\s,;\"']+", re.IGNORECASE), rf"\1{MASK}"),
    # PostgreSQL and its driver quote the values they could not take: a row with its caption, an argument.
    (re.compile(r"(query argument \$\d+[^:]{0,60}: ).{0,60}(?= \()", re.DOTALL), rf"\1{MASK}"),
    (re.compile(r"(DETAIL:  ).*?(?=\n\nThe above |\n\nDuring |\Z)", re.DOTALL), rf"\1{MASK}"),
)


def redact(text: str) -> str:
    """The text with whatever looks like a secret replaced by `***`."""
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


@functools.lru_cache(maxsize=1_000)
def is_secret_name(name: str) -> bool:
    """Whether a field by this name holds what nobody may see, whatever it looks like."""
    lowered = name.lower()
    return any(word in lowered for word in _WORDS)
