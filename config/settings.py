"""Django settings: everything comes from the environment; without any the project runs on embedded services."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
import structlog
from django.core.management.utils import get_random_secret_key

from config.embedded import default_home
from config.embedded import urls as embedded_urls
from config.navigation import UNFOLD  # noqa: F401 - a setting

# Lets our classes name the type parameters that Django's have in the stubs only.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

METERDESK_HOME = default_home()


def kept_secret(name: str) -> str:
    """Return the secret ``name`` from the environment, else one made once and kept in the data directory."""
    if value := env.str(name, default=""):
        return str(value)
    path = METERDESK_HOME / f"{name.lower()}.secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
        file.write(get_random_secret_key())
        file.flush()
        # A link appears whole or not at all, so of processes that start together one writes and the others read.
        with suppress(FileExistsError):
            os.link(file.name, path)
    return path.read_text()


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = kept_secret("SECRET_KEY")
#: Keys of the digests that secrets are kept as, newest first; old ones still verify.
SECRET_PEPPERS: list[str] = env.list("SECRET_PEPPERS", default=[]) or [kept_secret("SECRET_PEPPER")]
#: Keys of what has to be given back in clear (credentials of gateways), newest first; old ones still open.
ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", default=[]) or [kept_secret("ENCRYPTION_KEY")]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "pgtrigger",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "config",
    "config.api",
    "catalog",
    "customers",
    "credentials",
    "billing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.api.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.kernel.middleware.OperatorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES: list[dict[str, Any]] = [
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

_embedded = embedded_urls(METERDESK_HOME)
DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL", default=_embedded.database_url)}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default=_embedded.redis_url)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
#: Whoever wakes a worker does not wait for a broker that is away: beat finds what was missed.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "socket_connect_timeout": 2,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

#: Addresses that others name are called with https, on the public internet, and nowhere else.
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=False)
#: Networks of one's own that may be called all the same: ``10.1.2.0/24``.
OUTBOUND_ALLOWED_NETWORKS: list[str] = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])
#: Where the admin interfaces of one's own gateways stand, which may be called besides, also without TLS.
GATEWAY_ALLOWED_NETWORKS: list[str] = env.list("GATEWAY_ALLOWED_NETWORKS", default=[])
#: How often every mapping to a gateway is checked, in minutes.
GATEWAY_CHECK_MINUTES = env.int("GATEWAY_CHECK_MINUTES", default=60)
#: Between which bounds a worker waits, in seconds, before it asks a gateway the same again.
GATEWAY_RETRY_WAIT_S: tuple[float, float] = (0.5, 8.0)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=False)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "static/"
STATIC_ROOT = METERDESK_HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
#: Served straight from the packages, so that neither ``up`` nor the tests need a collectstatic first.
WHITENOISE_USE_FINDERS = True

#: The API takes 1 MiB and refuses more itself; event batches have their own bound.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
#: The form of a rate plan with all the charges it may have sends some thirty boxes for each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["credentials.api.authentication.OperatorKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.json.ExactJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.json.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.LimitOffset",
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Meterdesk API",
    "DESCRIPTION": "Customers, catalog, credentials, metering and billing over JSON.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "MaturityStageEnum": "catalog.models.MaturityStage",
        "DocumentationStatusEnum": "catalog.models.DocumentationStatus",
        "PublishStatusEnum": "catalog.models.PublishStatus",
        "RatePlanStatusEnum": "catalog.models.PlanStatus",
        "CouponKindEnum": "catalog.models.CouponKind",
        "CouponStatusEnum": "catalog.models.CouponStatus",
        "CustomerStatusEnum": "customers.models.CustomerStatus",
        "AgentStatusEnum": "customers.models.AgentStatus",
        "AgentKindEnum": "customers.models.AgentKind",
        "SubscriptionStatusEnum": "customers.models.SubscriptionStatus",
        "GatewayKeyStatusEnum": "credentials.models.GatewayKeyStatus",
        "InvoiceStatusEnum": "billing.models.invoice.InvoiceStatus",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

SIMPLE_HISTORY_ENABLED = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer()
            if env.bool("LOG_JSON", default=False)
            else structlog.dev.ConsoleRenderer(colors=False),
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    # They would tell addresses and bodies of calls, and at some gateways a customer's key is part of an address.
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore", "boto3", "botocore", "urllib3", "google")},
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
