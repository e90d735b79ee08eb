"""The WSGI entry of the screens."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onsil.web.settings")
application = get_wsgi_application()
