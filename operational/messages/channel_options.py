"""Options of a channel's address: those on a list, which choose what is sent and to whom.

Apprise reads options from the query of an address, also some that weaken the guard of outgoing
requests: no check of certificates, another method, a Host header, files to read. A service that is
added to Apprise, or a new option, is not on the list until it is added here.
"""

from urllib.parse import urlencode

from apprise.utils.parse import parse_qsd

# Recipients, keys and identifiers of the message.
_RECIPIENT = """
    to from channel channels team topic thread threadkey thread_id group region route routeid
    routing_key policy workspace entity entity_id source component alias dedup
    token key secret apikey sid id sig sp sv ver api-version pa powerautomate version mode webhook
    user pass password
"""
# What the message looks like, and how loud it is.
_APPEARANCE = """
    format overflow emojis image avatar avatar_url icon_url botname footer footer_logo fields href
    url url_title click timestamp blocks tts ping silent preview content msgtype detect mdv
    priority severity class sound expire interval delay ttl tags xtags action actions status
    alert team_wait batch title wrap
"""
ALLOWED = frozenset(f"{_RECIPIENT} {_APPEARANCE}".split())

# Of these services an option with a plus sign is a header.
_WITH_HEADERS = frozenset("json jsons xml xmls form forms nctalk nctalks".split())
ALLOWED_HEADERS = frozenset({"authorization", "x-api-key", "x-auth-token"})


def refused(url: str) -> list[str]:
    """Return the names of the options of an address that are not allowed."""
    return sorted(name for name in _options(url) if not is_allowed(name, _scheme(url)))


def without_refused(url: str) -> str:
    """Return an address with only those options that are allowed."""
    kept = {name: value for name, value in _options(url).items() if is_allowed(name, _scheme(url))}
    address = url.partition("?")[0]
    return f"{address}?{urlencode(kept)}" if kept else address


def is_allowed(name: str, scheme: str) -> bool:
    """Return whether an option is allowed; `-` and `:` name what a webhook is sent, `+` details."""
    if name.startswith("+") and scheme in _WITH_HEADERS:
        return name[1:].strip().lower() in ALLOWED_HEADERS
    return name.startswith(("+", "-", ":")) or name.strip().lower() in ALLOWED


def _options(url: str) -> dict[str, str]:
    """Return the options as Apprise reads them; their names keep their case."""
    query = parse_qsd(url.partition("?")[2], sanitize=False)  # type: ignore[no-untyped-call]
    options: dict[str, str] = query["qsd"]
    return {name: value for name, value in options.items() if name or value}


def _scheme(url: str) -> str:
    return url.partition(":")[0].strip().lower()
