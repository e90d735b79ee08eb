"""Where reports are made and fetched; their panel stands on the pages they are about."""

from django.urls import path

from onsil.console.reports import views

urlpatterns = [
    path("console/reports/<slug:kind>/<uuid:subject>/make/", views.make, name="report-make"),
    path("console/reports/<uuid:report>.pdf", views.file, {"form": "pdf"}, name="report-pdf"),
    path("console/reports/<uuid:report>.xlsx", views.file, {"form": "xlsx"}, name="report-xlsx"),
    path("console/reports/<uuid:report>.hwpx", views.file, {"form": "hwpx"}, name="report-hwpx"),
]
