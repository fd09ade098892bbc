"""Django settings. Everything that differs between deployments is read by config/env.py."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from config import admin_theme, env

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# --- The deployment -----------------------------------------------------------------------------

SECRET_KEY = env.secret_key("SECRET_KEY")
# Earlier keys: sessions and links signed with them stay valid, erased ids stay recognized.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
DEBUG = env.flag("PLUMBLINE_DEBUG", default=False)

# Where people open Plumbline. An https address turns on everything that needs TLS.
PLUMBLINE_URL = env.web_address(
    "PLUMBLINE_URL", f"http://localhost:{env.number('PLUMBLINE_PORT', 8000)}"
)
_HTTPS = PLUMBLINE_URL.startswith("https://")
_HOST = urlsplit(PLUMBLINE_URL).hostname or ""
ALLOWED_HOSTS = [
    _HOST,
    *env.words("PLUMBLINE_ALLOWED_HOSTS", "" if _HTTPS else "localhost,127.0.0.1,[::1]"),
]
CSRF_TRUSTED_ORIGINS = [PLUMBLINE_URL]
PLUMBLINE_TRUSTED_PROXIES = env.networks("PLUMBLINE_TRUSTED_PROXIES")  # common/client_address.py
PLUMBLINE_HSTS = env.choice(
    "PLUMBLINE_HSTS", "own", choices=("off", "own", "subdomains", "preload")
)
PLUMBLINE_REQUIRE_MFA = env.flag("PLUMBLINE_REQUIRE_MFA", default=False)
# Of the embedded servers (devstack/data_dir.py); the disk that fills up.
PLUMBLINE_DATA_DIR = BASE_DIR / env.text("PLUMBLINE_DATA_DIR", ".local")

# --- Definitions (the roll-ups keep those they were built with) ---------------------------------

PLUMBLINE_TIME_ZONE = env.time_zone("PLUMBLINE_TIME_ZONE", "UTC")
PLUMBLINE_SIGNUP_EVENT = env.text("PLUMBLINE_SIGNUP_EVENT", "signed_up")
PLUMBLINE_ACTIVATION_EVENT = env.text("PLUMBLINE_ACTIVATION_EVENT", "workflow_created")
PLUMBLINE_REFERRAL_PROPERTY = env.text("PLUMBLINE_REFERRAL_PROPERTY", "referral_code")
PLUMBLINE_PASSIVE_EVENTS = env.words("PLUMBLINE_PASSIVE_EVENTS")

# --- Capture ------------------------------------------------------------------------------------

PLUMBLINE_EVENT_RETENTION_DAYS = env.number("PLUMBLINE_EVENT_RETENTION_DAYS", 0)  # 0: forever
PLUMBLINE_INBOX_LIMIT = env.number("PLUMBLINE_INBOX_LIMIT", 500_000)  # requests; then 503
PLUMBLINE_POSTHOG_JS = env.file("PLUMBLINE_POSTHOG_JS")  # for PostHog's HTML snippet

# --- Forwarding to PostHog ----------------------------------------------------------------------

POSTHOG_HOST, POSTHOG_API_KEY = env.posthog(ourselves=PLUMBLINE_URL)
# If both are set, the numbers of events are compared with PostHog's.
POSTHOG_PERSONAL_API_KEY = env.text("POSTHOG_PERSONAL_API_KEY", "")
POSTHOG_PROJECT_ID = env.text("POSTHOG_PROJECT_ID", "")
PLUMBLINE_FORWARDING = env.flag("PLUMBLINE_FORWARDING", default=True) and bool(POSTHOG_HOST)
PLUMBLINE_FORWARD_EVENTS = frozenset(env.words("PLUMBLINE_FORWARD_EVENTS"))  # empty: all
PLUMBLINE_FORWARD_EVENTS_EXCEPT = frozenset(env.words("PLUMBLINE_FORWARD_EVENTS_EXCEPT"))

# --- Stripe -------------------------------------------------------------------------------------

STRIPE_SECRET_KEY, STRIPE_API_BASE, STRIPE_WEBHOOK_SECRETS = env.stripe()
STRIPE_IS_FAKE = STRIPE_API_BASE != env.STRIPE_API  # started by `make up` or the tests
STRIPE_LIVE_MODE = "_live_" in STRIPE_SECRET_KEY
STRIPE_API_VERSION = "2026-08-26.dahlia"
# Where Stripe's pages lead back to; empty: to a thank-you page here.
PLUMBLINE_CHECKOUT_RETURN_URL = env.web_address("PLUMBLINE_CHECKOUT_RETURN_URL", "")
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_SUBSCRIBER_MODEL = "analytics.Person"  # docs/decisions: customers and persons
# dj-stripe's own migrations take a minute; regenerate these with each version (CONTRIBUTING).
# knox's only table is replaced by operational's.
MIGRATION_MODULES = {"djstripe": "billing.djstripe_migrations", "knox": None}

# --- Usage limits ----------------------------------------------------------------------------

PLUMBLINE_LIMITED_PATHS = env.json_list(
    "PLUMBLINE_LIMITED_PATHS"
)  # billing/limits/limited_paths.py

# --- E-mail -------------------------------------------------------------------------------------

PLUMBLINE_EMAIL_FROM = env.sender("PLUMBLINE_EMAIL_FROM")  # empty: no e-mail is sent
# Caps on the e-mails to persons, as many within a day and within an hour.
PLUMBLINE_EMAILS_PER_ADDRESS = env.number("PLUMBLINE_EMAILS_PER_ADDRESS", 5, minimum=1)
PLUMBLINE_EMAILS_PER_HOUR = env.number("PLUMBLINE_EMAILS_PER_HOUR", 500, minimum=1)
# As many soft bounces in a row suppress an address.
PLUMBLINE_SOFT_BOUNCES = env.number("PLUMBLINE_SOFT_BOUNCES", 5, minimum=1)
ADMIN_EMAIL = env.addresses("ADMIN_EMAIL")  # receives alerts
# Or one of django-anymail's, with its ANYMAIL_... settings.
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "common.smtp.EmailBackend")
ANYMAIL = env.with_prefix("ANYMAIL_")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25, minimum=1, maximum=65_535)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.email_account()
EMAIL_USE_TLS, EMAIL_USE_SSL = env.email_encryption()
EMAIL_TIMEOUT = 20  # seconds

# --- Outgoing requests to addresses that staff enter -------------------------------------------

PLUMBLINE_ALLOWED_NETWORKS = env.networks("PLUMBLINE_ALLOWED_NETWORKS")  # besides public ones

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "csp",
    "django_celery_beat",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_otp_webauthn",
    "djstripe",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "common",
    "analytics",
    "billing",
    "growth",
    "operational",
    "config.apps.ConfigConfig",
]

MIDDLEWARE = [
    "operational.access.forwarded_proto.ForwardedProtoMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.api.no_store.no_store",
    "csp.middleware.CSPMiddleware",
    "common.nul_characters.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "operational.access.middleware.LoginMiddleware",
    "billing.limits.middleware.UsageLimitMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The threads of a web process share connections; in other processes each has its own.
_POOL_SIZE = env.number("PLUMBLINE_DB_POOL", 0)
_POOL = {
    "min_size": 1,
    "max_size": _POOL_SIZE,
    "timeout": 5,  # seconds, then the request fails
    "reconnect_timeout": 2,  # seconds; then the next request tries again, not a timer
}
DATABASES = {
    "default": {
        **env.postgresql("DATABASE_URL"),
        "CONN_HEALTH_CHECKS": True,  # no stale connection after the server was restarted
        "OPTIONS": {"pool": _POOL} if _POOL_SIZE else {},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024  # bytes of a capture request, as sent

USE_TZ = True
TIME_ZONE = PLUMBLINE_TIME_ZONE
LANGUAGE_CODE = "en-us"
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # apps' files are served in place, without collectstatic

# --- Access -------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["operational.access.backend.LimitedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "operational:dashboard"

# The login limits (operational/access/limits.py) are bounded; the library's own delays are not.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
OTP_TOTP_ISSUER = f"Plumbline ({_HOST})"
OTP_WEBAUTHN_RP_ID = _HOST
OTP_WEBAUTHN_RP_NAME = "Plumbline"
OTP_WEBAUTHN_ALLOWED_ORIGINS = [PLUMBLINE_URL]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False  # passkeys are a second factor

KNOX_TOKEN_MODEL = "operational.ApiToken"  # noqa: S105
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "plb_"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS and PLUMBLINE_HSTS != "off" else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PLUMBLINE_HSTS in {"subdomains", "preload"}
SECURE_HSTS_PRELOAD = PLUMBLINE_HSTS == "preload"
# How far HSTS reaches is the deployment's choice: it may break other hosts of its domain.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    },
}

# --- The admin ---------------------------------------------------------------------------------

UNFOLD = admin_theme.UNFOLD

# --- API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "operational.access.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["common.api.access.HasRequiredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.api.negotiation.LenientNegotiation",
    "URL_FORMAT_OVERRIDE": None,  # no parameter that endpoints do not declare
    "DEFAULT_PARSER_CLASSES": ["common.api.json_parser.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "common.api.schema.EndpointSchema",
    "EXCEPTION_HANDLER": "common.api.problems.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Plumbline API",
    "DESCRIPTION": "Whether the company is on course, and the figures behind every number.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.api.schema.finish_schema",
    ],
    "ENUM_NAME_OVERRIDES": {"ReportKindEnum": ["daily", "weekly"]},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Background work ----------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 1_800  # seconds, below the broker's visibility timeout of 3,600
CELERY_TASK_SOFT_TIME_LIMIT = 1_740
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "config.scheduler:Scheduler"
CELERY_BEAT_SYNC_EVERY = 1  # tasks; when beat last scheduled one is the sign that it is alive

# --- Logs: one line per event, no personal data (docs/security.md) ------------------------------

_LOG_LEVEL = env.choice(
    "PLUMBLINE_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "redacting": {"()": "common.logs.RedactingFormatter"},
        "complete": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "complete" if DEBUG else "redacting",
        },
        "nowhere": {"class": "logging.NullHandler"},
    },
    "loggers": {
        # Without their own handlers, one of which sends errors with their data by e-mail.
        **{name: {"handlers": [], "propagate": True} for name in ("django", "django.server")},
        "celery": {"level": "INFO" if _LOG_LEVEL == "DEBUG" else "WARNING"},  # two lines a task
        "uvicorn": {"level": "WARNING"},  # a line for each process of the web server
        "stripe": {"level": "WARNING"},  # two lines a call
        # Its messages contain channels' secret addresses; deliveries store them.
        "apprise": {"handlers": ["nowhere"], "propagate": False},
        "urllib3": {"level": "WARNING"},  # its lines contain paths, which are secret for webhooks
    },
    "root": {"handlers": ["console"], "level": _LOG_LEVEL},
}
