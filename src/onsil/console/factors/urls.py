"""Where the factor library's screens hang."""

from django.urls import path

from onsil.console.factors import bringing, views

urlpatterns = [
    path("console/factors/", views.library, name="factors"),
    path("console/factors/compare/", views.compare, name="factors-compare"),
    path("console/factors/tables/", views.tables, name="factor-tables"),
    path("console/factors/examples/", views.examples, name="factor-examples"),
    path("console/factors/sets/<str:reference>/", views.factor_set, name="factor-set"),
    path("console/factors/tables/<str:reference>/", views.table, name="factor-table"),
    path("console/factors/template.csv", bringing.template, name="factor-template"),
    path("console/factors/imports/", bringing.listing, name="factor-imports"),
    path("console/factors/imports/upload/", bringing.upload, name="factor-upload"),
    path("console/factors/imports/<uuid:number>/", bringing.detail, name="factor-import"),
    path(
        "console/factors/imports/<uuid:number>/<slug:act>/", bringing.act, name="factor-import-act"
    ),
]
