"""Where a project's workspace hangs, beside the project's own page."""

from django.urls import path

from onsil.console.workspace import changes, views

_AT = "console/projects/<uuid:project>/"

urlpatterns = [
    path(f"{_AT}documents/", views.documents, name="project-documents"),
    path(f"{_AT}documents/<uuid:document>/", views.download, name="project-document"),
    path(f"{_AT}data/", views.data, name="project-data"),
    path(f"{_AT}difference/", views.difference, name="project-difference"),
    path(f"{_AT}findings/", views.findings, name="project-findings"),
    path(f"{_AT}verification/", views.verification, name="project-verification"),
    path(f"{_AT}members/", views.members, name="project-members"),
    path(f"{_AT}plan/", views.plan, name="project-plan"),
    path(f"{_AT}do/<slug:what>/", changes.do, name="project-do"),
]
