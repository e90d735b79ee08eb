"""Where the registry desk's screens hang."""

from django.urls import path

from onsil.console.registry import views

urlpatterns = [
    path("console/registry/", views.desk, name="registry-desk"),
    path("console/registry/units/<uuid:block>/", views.unit, name="registry-desk-unit"),
    path("console/registry/actions/", views.actions, name="registry-actions"),
    path("console/registry/actions/<uuid:action>/", views.decide, name="registry-decide"),
    path("console/registry/projects/", views.projects, name="registry-projects"),
    path("console/registry/sums/", views.sums, name="registry-sums"),
    path("console/registry/act/<slug:kind>/", views.act, name="registry-act"),
]
