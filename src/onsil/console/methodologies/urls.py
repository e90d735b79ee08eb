"""Where the methodologies' screens hang."""

from django.urls import path

from onsil.console.methodologies import views

urlpatterns = [
    path("console/methodologies/", views.listing, name="methodologies"),
    path("console/methodologies/<slug:code>/<slug:version>/", views.detail, name="methodology"),
]
