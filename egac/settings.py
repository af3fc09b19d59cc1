"""Every setting, read from the environment and from `.env` beside manage.py."""

from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from egac.environment import (
    BASE_DIR,
    above_zero,
    currency,
    env,
    job_tokens,
    networks,
    one_of,
    paragraph,
    percent,
    read_env_file,
    switch,
    text,
    time_zone,
    web_address,
    whole,
    words,
)

read_env_file()

# The site
DEBUG = switch("DEBUG")
SECRET_KEY = text("SECRET_KEY", "only-for-development-on-this-machine" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Write SECRET_KEY=<50 random characters> into the environment or "
        ".env, or DEBUG=1 on a developer's machine."
    )
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
CLUB_NAME = text("CLUB_NAME", "East Grinstead Athletics Club")
SITE_BASE_URL = web_address("SITE_BASE_URL", "http://localhost:8000" if DEBUG else "")
# This site itself, where invoices and alerts link to.
OPS_BASE_URL = web_address("OPS_BASE_URL", SITE_BASE_URL)
REPLY_TO = text("REPLY_TO")
BUSINESS_TIME_ZONE = time_zone("BUSINESS_TIME_ZONE", "Europe/London")

# Resend, the e-mail provider
RESEND_API_KEY = text("RESEND_API_KEY")
RESEND_FROM = text("RESEND_FROM")
RESEND_DRY_RUN = switch("RESEND_DRY_RUN")
RESEND_API_URL = text("RESEND_API_URL", "https://api.resend.com").rstrip("/")
# Calls a second, all workers together; without it what Resend says, and 2 until it says so
RESEND_RATE_LIMIT = above_zero("RESEND_RATE_LIMIT", 2) if text("RESEND_RATE_LIMIT") else None
# E-mails a day that Resend's plan takes, as the forecast says; 0: as many as there are
RESEND_DAILY_QUOTA = whole("RESEND_DAILY_QUOTA", 0, at_least=0)
RESEND_WEBHOOK_SECRET = text("RESEND_WEBHOOK_SECRET")
STANDIN_INBOX_URL = text("STANDIN_INBOX_URL")  # set by scripts/server beside the local stand-in

# Meta's Cloud API, the WhatsApp provider
WHATSAPP_TOKEN = text("WHATSAPP_TOKEN")
WHATSAPP_PHONE_NUMBER_ID = text("WHATSAPP_PHONE_NUMBER_ID")
WHATSAPP_API_URL = text("WHATSAPP_API_URL", "https://graph.facebook.com/v23.0").rstrip("/")
WHATSAPP_APP_SECRET = text("WHATSAPP_APP_SECRET")
WHATSAPP_VERIFY_TOKEN = text("WHATSAPP_VERIFY_TOKEN")
WHATSAPP_RATE_LIMIT = above_zero("WHATSAPP_RATE_LIMIT", 20)  # calls a second
WHATSAPP_DRY_RUN = switch("WHATSAPP_DRY_RUN")
PHONE_REGION = text("PHONE_REGION", "GB")  # how a number without a country code is read

# Zoom, by server-to-server OAuth
ZOOM_ACCOUNT_ID = text("ZOOM_ACCOUNT_ID")
ZOOM_CLIENT_ID = text("ZOOM_CLIENT_ID")
ZOOM_CLIENT_SECRET = text("ZOOM_CLIENT_SECRET")
ZOOM_API_URL = text("ZOOM_API_URL", "https://api.zoom.us/v2").rstrip("/")
ZOOM_OAUTH_URL = text("ZOOM_OAUTH_URL", "https://zoom.us/oauth/token").rstrip("/")
ZOOM_HOURS_BEFORE = whole("ZOOM_HOURS_BEFORE", 12)
ZOOM_RATE_LIMIT = above_zero("ZOOM_RATE_LIMIT", 2)  # calls a second
ZOOM_DRY_RUN = switch("ZOOM_DRY_RUN")

# Billing
BILLING_CURRENCY = currency("BILLING_CURRENCY", "GBP")
BILLING_TAX_RATE = percent("BILLING_TAX_RATE", "0")
BILLING_LEAD_DAYS = whole("BILLING_LEAD_DAYS", 5, at_least=0)
T5_BILLS = one_of("T5_BILLS", ("attended", "completed"))
T5_DUE_DAYS = whole("T5_DUE_DAYS", 5, at_least=0)
GRACE_AFTER_DAYS = whole("GRACE_AFTER_DAYS", 8)
LOCK_AFTER_DAYS = whole("LOCK_AFTER_DAYS", 11)
if LOCK_AFTER_DAYS <= GRACE_AFTER_DAYS:
    raise ImproperlyConfigured(
        f"LOCK_AFTER_DAYS is {LOCK_AFTER_DAYS} and GRACE_AFTER_DAYS {GRACE_AFTER_DAYS}, so nobody "
        f"would be warned. Write for example LOCK_AFTER_DAYS={GRACE_AFTER_DAYS + 3}."
    )
# What an invoice says of the club, and of how to pay.
CLUB_DETAILS = paragraph("CLUB_DETAILS")
INVOICE_PAYMENT_DETAILS = paragraph("INVOICE_PAYMENT_DETAILS")

# What leaves the system
SENDING = one_of("SENDING", ("on", "off")) == "on"
DIVERT_EMAIL_TO = text("DIVERT_EMAIL_TO")
NOTIFICATION_MAX_ATTEMPTS = whole("NOTIFICATION_MAX_ATTEMPTS", 5)
MAX_INVITE_RETRIES = whole("MAX_INVITE_RETRIES", 3)
WORKER_CONCURRENCY = whole("WORKER_CONCURRENCY", 8)
WORKER_LEASE_SECONDS = above_zero("WORKER_LEASE_SECONDS", 30)
PROVIDER_TIMEOUT_SECONDS = above_zero("PROVIDER_TIMEOUT_SECONDS", 10)

# How many days history is kept, once it has ended
KEEP_AUDIT_DAYS = whole("KEEP_AUDIT_DAYS", 730)  # a line for each attempt to send
KEEP_EVENTS_DAYS = whole("KEEP_EVENTS_DAYS", 730)  # what providers told of deliveries
KEEP_BODIES_DAYS = whole("KEEP_BODIES_DAYS", 180)  # the very messages that were sent
KEEP_MESSAGES_DAYS = whole("KEEP_MESSAGES_DAYS", 730)  # of the queue, sent or cancelled
KEEP_RUNS_DAYS = whole("KEEP_RUNS_DAYS", 180)
KEEP_WORKERS_DAYS = whole("KEEP_WORKERS_DAYS", 7)

# Secrets of the machines that call us, each with the one it replaces during a rotation
CRON_SECRET = text("CRON_SECRET")
CRON_SECRET_PREVIOUS = text("CRON_SECRET_PREVIOUS")
SERVICE_ROLE_KEY = text("SERVICE_ROLE_KEY")
SERVICE_ROLE_KEY_PREVIOUS = text("SERVICE_ROLE_KEY_PREVIOUS")
SCHEDULER_SECRET_TOKEN = text("SCHEDULER_SECRET_TOKEN")
SCHEDULER_SECRET_TOKEN_PREVIOUS = text("SCHEDULER_SECRET_TOKEN_PREVIOUS")
SCHEDULER_SECRET_HEADER = text("SCHEDULER_SECRET_HEADER")
JOB_TOKENS = job_tokens("JOB_TOKENS")
METRICS_TOKEN = text("METRICS_TOKEN")
ALLOW_QUERY_SECRET = switch("ALLOW_QUERY_SECRET", default=True)
PAGES_SITE_URL = text("PAGES_SITE_URL").rstrip("/")

# Who is told when something is wrong, and how
STAFF_ALERT_EMAILS = words("STAFF_ALERT_EMAILS")
GITHUB_TOKEN = text("GITHUB_TOKEN")
GITHUB_REPOSITORY = text("GITHUB_REPOSITORY")
GITHUB_API_URL = text("GITHUB_API_URL", "https://api.github.com").rstrip("/")
MONITORING_MENTION = text("MONITORING_MENTION")
SLACK_WEBHOOK_URL = text("SLACK_WEBHOOK_URL")
OPSGENIE_API_KEY = text("OPSGENIE_API_KEY")
OPSGENIE_API_URL = text("OPSGENIE_API_URL", "https://api.opsgenie.com").rstrip("/")
HEALTHCHECK_PING_URL = text("HEALTHCHECK_PING_URL").rstrip("/")
WORKER_EXPECTED = switch("WORKER_EXPECTED")

# cron, by django-crontab; `manage.py install_schedule` writes the crontab
CRONJOBS = SimpleLazyObject(lambda: import_string("jobs.cronjobs.cron_jobs")())
CRON_LOG_DIR = str(BASE_DIR / text("CRON_LOG_DIR", "logs"))
CRONTAB_COMMENT = text("CRONTAB_COMMENT", f"EGAC Ops in {BASE_DIR}")  # by which it knows its lines
CRONTAB_DJANGO_MANAGE_PATH = str(BASE_DIR / "manage.py")
CRONTAB_DJANGO_SETTINGS_MODULE = "egac.settings"
CRONTAB_EXECUTABLE = text("CRONTAB_EXECUTABLE", "/usr/bin/crontab")

# The database: the embedded one where nothing is named and DEBUG is on. With DATABASE_URL=none
# nothing runs but check_invite_stats, which then watches another site from outside.
HAS_DATABASE = text("DATABASE_URL") != "none"
if not text("DATABASE_URL") and not DEBUG:
    raise ImproperlyConfigured(
        "DATABASE_URL is not set. Write DATABASE_URL=postgres://user:password@host/name "
        "(PostgreSQL 15 or later), or DEBUG=1 to use the embedded server."
    )
_database: dict[str, Any] = {}
if not HAS_DATABASE:
    _database = {"ENGINE": "django.db.backends.dummy"}
elif text("DATABASE_URL"):
    _database = env.db_url("DATABASE_URL")
else:
    from egac import localdb

    _database = env.db_url_config(localdb.database_url())
if HAS_DATABASE and "postgresql" not in _database.get("ENGINE", ""):
    raise ImproperlyConfigured(
        "DATABASE_URL names no PostgreSQL. Write DATABASE_URL=postgres://user:password@host/name."
    )
DATABASE_DIRECT_URL = text("DATABASE_DIRECT_URL")  # for LISTEN, past a pooler
DATABASES = {
    "default": {
        **_database,
        # The development server has a thread, and so a connection, for each request.
        "CONN_MAX_AGE": 0 if DEBUG else 60,
        "CONN_HEALTH_CHECKS": True,
        # Behind pgbouncer in transaction mode neither of these two would survive.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "prepare_threshold": None,
            # A server that is gone without a word is noticed within a minute, not after hours.
            "connect_timeout": 10,
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
            **_database.get("OPTIONS", {}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Django
INSTALLED_APPS = [
    "egac.apps.EgacConfig",
    "egac.apps.OpsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_crontab",
    "django_htmx",
    "import_export",
    "csp",
    "jobs.apps.JobsConfig",
    "invites.apps.InvitesConfig",
    "notifications.apps.NotificationsConfig",
    "bookings.apps.BookingsConfig",
    "billing.apps.BillingConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # In development Django itself serves what collectstatic has not gathered yet.
    *([] if DEBUG else ["whitenoise.middleware.WhiteNoiseMiddleware"]),
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "egac.urls"
WSGI_APPLICATION = "egac.wsgi.application"
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
                "egac.admin.where_messages_go",
                "egac.console.reveal.what_is_masked",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator")
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = BUSINESS_TIME_ZONE
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]

# What a browser may do with our pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],  # but for an e-mail as it was sent, which has its own policy
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
CSRF_FAILURE_VIEW = "egac.console.older_pages.page_is_older"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # a balancer beside us asks without TLS
SECURE_HSTS_SECONDS = 0 if DEBUG else whole("SECURE_HSTS_SECONDS", 31_536_000, at_least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Logs: to standard error, without a secret
LOG_FORMAT = one_of("LOG_FORMAT", ("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "egac.logs.RedactSecrets"}},
    "formatters": {
        "text": {"()": "egac.logs.TextFormatter"},
        "json": {"()": "egac.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["redact"],
            "formatter": LOG_FORMAT,
        },
        "run": {"class": "egac.logs.KeepForRun", "filters": ["redact"], "formatter": "text"},
    },
    "root": {"handlers": ["stderr", "run"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO", "handlers": [], "propagate": True},
        # It lists the letters of every document.
        "fontTools": {"level": "WARNING"},
        "django.server": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
    },
}
