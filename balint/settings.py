"""One settings file for every way of running; what differs comes from the environment.

`BALINT_MODE` is `production` unless `make run` (local) or the tests (test) say otherwise.
In production every variable in `NEEDED` must be set: we refuse to start without, and say so.
"""

import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

import dj_email_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

MODE = env.str("BALINT_MODE", "production")
if MODE not in {"production", "local", "test"}:
    raise ImproperlyConfigured("BALINT_MODE must be production, local or test.")
PRODUCTION, LOCAL, TEST = (mode == MODE for mode in ("production", "local", "test"))
DEMO = LOCAL and env.bool("BALINT_DEMO", False)

LOGIN = env.str("BALINT_LOGIN", "app")  # read as settings.LOGIN by members.identity
URL_OF_LOGIN = {
    "app": "DATABASE_URL",
    "owner": "DATABASE_OWNER_URL",
    "worker": "DATABASE_WORKER_URL",
}

NEEDED = {
    URL_OF_LOGIN.get(LOGIN, "DATABASE_URL"): (
        f"the address of PostgreSQL for the login balint_{LOGIN}, "
        "postgres://balint_…:password@host/balint; `manage.py roles --sql` makes the logins"
    ),
    "REDIS_URL": "the address of Redis, such as redis://host:6379/0",
    "SECRET_KEY": "a long random text, the same for every process, kept out of the database",
    "ALLOWED_HOSTS": "the names this site answers to, separated by commas",
    "SITE_URL": "the address people type, such as https://balint.example",
    "EMAIL_URL": "the mail server, such as submission://user:password@host:587",
    "DEFAULT_FROM_EMAIL": "the address letters come from, such as balint@example.org",
    "BALINT_KEY_FILE": "the file with the keys, outside the database (`manage.py keys create`)",
}
FOR_TESTS = {
    "DATABASE_URL": "postgres://balint_app@127.0.0.1/balint",
    "DATABASE_OWNER_URL": "postgres://balint_owner@127.0.0.1/balint",
    "DATABASE_WORKER_URL": "postgres://balint_worker@127.0.0.1/balint",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "only for tests, where nothing is kept",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "SITE_URL": "http://testserver",
    "EMAIL_URL": "memory://",
    "DEFAULT_FROM_EMAIL": "balint@balint.test",
    "BALINT_KEY_FILE": "/nonexistent/keys.json",
}


def refuse_without_the_needed() -> None:
    """Stop with one message that names every missing variable and what it should hold."""
    missing = [name for name in NEEDED if not env.str(name, FOR_TESTS[name] if TEST else "")]
    if LOGIN not in URL_OF_LOGIN:
        raise ImproperlyConfigured("BALINT_LOGIN must be app, owner or worker.")
    if missing:
        lines = "\n".join(f"  {name}: {NEEDED[name]}" for name in missing)
        raise ImproperlyConfigured(f"Balint cannot start. Please set in the environment:\n{lines}")


def needed(name: str) -> str:
    return env.str(name, FOR_TESTS[name]) if TEST else env.str(name)


refuse_without_the_needed()

SECRET_KEY = needed("SECRET_KEY")
DEBUG = False
# The tests' own process speaks with a login that may become the others; those it starts are asked.
STARTUP_CHECKS = not TEST or env.bool("BALINT_STARTUP_CHECKS", False)
ALLOWED_HOSTS = [host.strip() for host in needed("ALLOWED_HOSTS").split(",") if host.strip()]
SITE_URL = needed("SITE_URL").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
MAIL_DOMAIN = env.str("MAIL_DOMAIN", urlsplit(SITE_URL).hostname or "localhost")
VAR_DIR = Path(env.str("BALINT_VAR", str(BASE_DIR / "var")))
BALINT_KEY_FILE = needed("BALINT_KEY_FILE")

INSTALLED_APPS = [
    "balint",
    "sessions",
    "groups",
    "members",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "crispy_forms",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    # First those that only add headers: nothing that answers early may go without.
    "balint.headers.HeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "balint.csrf.HiddenOriginMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "members.sitting.SittingMiddleware",
    "balint.middleware.SignInFirstMiddleware",
    "members.limits.GuessedTokenMiddleware",
    # Round the transaction: what waits for its end (letters about second factors, messages) still
    # finds the request, and the person's language and zone.
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "members.stepup.ConfirmMiddleware",
    "members.identity.PersonalTimeMiddleware",
    "members.second_factor.SecondFactorMiddleware",
    "members.identity.IdentityMiddleware",
    "groups.gate.GateMiddleware",
]

ROOT_URLCONF = "balint.urls"
WSGI_APPLICATION = "balint.wsgi.application"

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
                "balint.context.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "balint"

# PostgreSQL: pages share a small pool; a worker's forked children must not.
DATABASES = {"default": env.dj_db_url(URL_OF_LOGIN[LOGIN], FOR_TESTS[URL_OF_LOGIN[LOGIN]])}
if LOGIN == "app" and not TEST:
    DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", 14), "timeout": 10}
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = needed("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "balint.cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "balint",
    },
}

AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# Long, and not what is tried first; any characters, and no upper end (NIST SP 800-63B, ASVS 6.2).
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": "members.passwords.WordsOfThePlaceValidator"},
]
if TEST:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "members.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True
# Another address only after the password, or the second factor, was given again.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# A forgotten password never passes the second factor: the new one is asked for like the old one.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
# Wrong passwords: ten a minute from one machine; for one account from one machine five in five
# minutes and fifty a day (members.accounts), so that nobody locks anybody else out. Codes of a
# second factor count by person. The rest are allauth's own.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key,50/d/key"}
# Whoever leads a group or looks after a programme; elsewhere than in production it can be tried.
SECOND_FACTOR_REQUIRED = PRODUCTION or env.bool("SECOND_FACTOR_REQUIRED", False)
MFA_ADAPTER = "members.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {"activate_totp": "members.mfa.ActivateForm"}
# Accounts come by invitations that prove an address. Without this, whoever has a second factor
# could never change theirs.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Balint"
# A passkey belongs to https; on this machine alone, localhost will do.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION

# Seconds: without a step, and altogether. Rooms of open meetings are exempt (sessions.rooms).
SITTING_IDLE = 30 * 60
SITTING_ABSOLUTE = 12 * 60 * 60
# The row outlives the sign-in, so that we still know whose typed text it is.
SESSION_COOKIE_AGE = 24 * 60 * 60
# A sign-in or its confirmation counts as fresh for this long (exports, changes of members).
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
if PRODUCTION:
    # Browsers take such a cookie over TLS alone, and from no neighbouring host.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
CSRF_FAILURE_VIEW = "balint.views.csrf_failure"
# In the session, not in a cookie: a message may say a date.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if PRODUCTION else 0
# Balint has a host of its own, so names below it are nobody else's. Where it answers under the
# bare domain of a hospital or society, whose other hosts may speak no TLS: 0. Never preloaded.
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION and env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", True)
# No address of ours goes anywhere. Browsers then hide a form's origin too: balint.csrf.
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
TRUSTED_PROXIES_STATED = bool(env.str("TRUSTED_PROXIES", ""))
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

dj_email_url.SCHEMES["maildir"] = "balint.demo_mail.MaildirBackend"
if urlsplit(needed("EMAIL_URL")).scheme not in dj_email_url.SCHEMES:
    # It would quietly mean mail and its password in clear text.
    raise ImproperlyConfigured("EMAIL_URL must begin with submission:// (STARTTLS) or smtp://.")
vars().update(dj_email_url.parse(needed("EMAIL_URL")))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = needed("DEFAULT_FROM_EMAIL")
# Shorter than a letter's lease, so that a hanging server cannot make a second worker send it too.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", 20)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["balint.formats"]
TIME_ZONE = "UTC"
# The time-zone data of our lock in every process, not whatever each machine carries.
zoneinfo.reset_tzpath(to=())
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
else:
    WHITENOISE_USE_FINDERS = True
    WHITENOISE_AUTOREFRESH = True

# The clock and the worker: one argument-free tick; nothing that must survive lives in Redis.
LETTER_TICK_SECONDS = env.float("LETTER_TICK_SECONDS", 30)
LETTER_LEASE_SECONDS = env.float("LETTER_LEASE_SECONDS", 120)
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = EMAIL_TIMEOUT
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "letters": {
        "task": "letters.dispatch",
        "schedule": LETTER_TICK_SECONDS,
        "options": {"expires": LETTER_TICK_SECONDS * 5 / 6},
    },
    "upkeep": {"task": "sessions.upkeep", "schedule": 300.0, "options": {"expires": 240}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "balint.logs.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # No mail to admins about errors: a traceback may hold what was typed.
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
