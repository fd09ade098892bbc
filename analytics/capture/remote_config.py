"""Fixed responses for SDKs: feature flags, which Plumbline does not have, and remote config."""

import json
import re
from typing import Any, NamedTuple

REMOTE_CONFIG_PATH = re.compile(r"^/array/([^/]+)/(config|config\.js)$")

# SDKs request feature flags and wait for the response.
NO_FLAGS = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}
REMOTE_CONFIG = {
    "supportedCompression": ["gzip-js", "base64"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "capturePerformance": False,
    "captureDeadClicks": False,
    "autocaptureExceptions": False,
    "heatmaps": False,
    "surveys": False,
    "siteApps": [],
    "isAuthenticated": False,
    "toolbarParams": {},
    "elementsChainAsString": True,
    "autocapture_opt_out": False,  # current posthog-js captures no clicks without it
    "defaultIdentifiedOnly": True,
}


class CaptureResponse(NamedTuple):
    """A response. `body` is bytes, or a value to send as JSON."""

    status: int
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()


def remote_config(token: str, kind: str) -> CaptureResponse:
    config = {"token": token, **REMOTE_CONFIG}
    if kind == "config":
        return CaptureResponse(200, config)
    script = json.dumps({"config": config, "siteApps": []}).replace("<", "\\u003c")
    name = json.dumps(token).replace("<", "\\u003c")
    return CaptureResponse(
        200,
        "(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"window._POSTHOG_REMOTE_CONFIG[{name}]={script};}})();".encode(),
        (("Content-Type", "application/javascript"),),
    )
