"""Django's settings, all of them derived from the installation's configuration."""

import hashlib
from pathlib import Path

from onsil.configuration import configuration

_conf = configuration()
_here = Path(__file__).parent

DEBUG = _conf.debug
# Without a key of the operator's own, one is derived from the data folder: it survives restarts.
SECRET_KEY = _conf.secret_key or hashlib.sha256(f"onsil:{_conf.data_folder}".encode()).hexdigest()
ALLOWED_HOSTS = ["*"] if _conf.host == "127.0.0.1" else ["localhost", "127.0.0.1", _conf.host]
CSRF_TRUSTED_ORIGINS = [_conf.web_address]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "onsil.web.engines.CoreSchema",
    "onsil.web.engines.ProofSchema",
    "onsil.web.engines.LedgerSchema",
    "onsil.web.engines.HubSchema",
    "onsil.web.engines.DevicesSchema",
    "onsil.web.engines.FootprintSchema",
    "onsil.tenancy",
    "onsil.rewards",
    "onsil.building",
    "onsil.citizen",
    "onsil.console",
    "onsil.console.evidence",
    "onsil.console.currency",
    "onsil.console.claims",
    "onsil.console.devices",
    "onsil.console.inventory",
    "onsil.console.books",
    "onsil.console.registry",
    "onsil.console.reports",
    "onsil.console.workspace",
    "onsil.console.factors",
    "onsil.console.methodologies",
    "onsil.console.targets",
    "onsil.portal",
    "onsil.web",
]
MIGRATION_MODULES = {
    f"{room}_schema": f"onsil.web.engine_migrations.{room}"
    for room in ("core", "proof", "ledger", "hub", "devices", "footprint")
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "onsil.web.security.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "onsil.tenancy.middleware.CityMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "onsil.web.urls"
WSGI_APPLICATION = "onsil.web.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_here / "templates"],  # before the packages': our sign-in pages are ours
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "onsil.web.context.site",
            ],
        },
    }
]


def _database(dsn: str) -> dict[str, object]:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST",
             "port": "PORT"}  # fmt: skip
    table: dict[str, object] = {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {k: v for k, v in parts.items() if k not in known},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
    table.update({known[k]: str(v) for k, v in parts.items() if k in known})
    return table


DATABASES = {"default": _database(_conf.dsn)}
# The running system owns nothing, so that row-level security holds for it; `migrate` is the owner.
if not _conf.owner:
    DATABASES["default"]["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore

AUTH_USER_MODEL = "citizen.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
     "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]  # fmt: skip
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/start/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # `localhost` is the one insecure origin browsers accept
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [_here / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Seoul"

STATIC_URL = "/static/"
STATIC_ROOT = _conf.data_folder / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
MEDIA_ROOT = _conf.data_folder / "media"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"procrastinate": {"level": "WARNING"}},
}
