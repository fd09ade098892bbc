"""Names of channels: one spelling for each."""

import re

LONGEST_CHANNEL = 80
_SEPARATORS = re.compile(r"[\s_\-]+")

# The usual names of advertising products. A referring site such as google.com is not among them:
# a visitor from the search results was not paid for.
DEFAULT_ALIASES = {
    "google": ("adwords", "google ads", "google adwords", "googleads"),
    "facebook": ("facebook ads", "fb", "fb ads", "meta", "meta ads"),
    "linkedin": ("linkedin ads", "linkedinads"),
    "bing": ("bing ads", "microsoft ads", "microsoft advertising"),
    "x": ("twitter", "twitter ads", "x ads"),
}


def normalized(name: str) -> str:
    """Return a name in lower case, with single spaces for hyphens, underscores and spaces.

    A site's www. is dropped: " Google_Ads" is "google ads", "www.Example.com" is "example.com".
    """
    return _SEPARATORS.sub(" ", name.casefold()).strip().removeprefix("www.").strip()
