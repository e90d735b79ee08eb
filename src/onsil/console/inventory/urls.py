"""Where the inventory's screens hang."""

from django.urls import path, re_path

from onsil.console.inventory import acts, views

urlpatterns = [
    path("console/inventory/", views.listing, name="inventory"),
    path("console/inventory/open/", acts.open_book, name="inventory-open"),
    path("console/inventory/template.csv", views.template, name="inventory-template"),
    path("console/inventory/<uuid:book>/", views.results, name="inventory-book"),
    path("console/inventory/<uuid:book>/lines/", views.lines, name="inventory-lines"),
    path("console/inventory/<uuid:book>/lines/put/", acts.put, name="inventory-put"),
    path("console/inventory/<uuid:book>/lines/import/", acts.bring, name="inventory-import"),
    path("console/inventory/<uuid:book>/lines/remove/", acts.remove, name="inventory-remove"),
    path("console/inventory/<uuid:book>/line/<str:code>/", views.line, name="inventory-line"),
    path("console/inventory/<uuid:book>/changes/", views.changes, name="inventory-changes"),
    path("console/inventory/<uuid:book>/settings/", views.settings, name="inventory-settings"),
    path("console/inventory/<uuid:book>/settings/set/", acts.settle, name="inventory-settle"),
    path("console/inventory/<uuid:book>/certificate/", acts.certificate,
         name="inventory-certificate"),
    path("console/inventory/<uuid:book>/policy/", acts.policy, name="inventory-policy"),
    path("console/inventory/<uuid:book>/compile/", acts.compile_book, name="inventory-compile"),
    path("console/inventory/versions/<uuid:version>/decide/", acts.decide, name="inventory-decide"),
    path("console/inventory/versions/<uuid:version>/recompute/", acts.recompute,
         name="inventory-recompute"),
    re_path(
        r"^console/inventory/versions/(?P<version>[0-9a-f-]{36})/inventory\.(?P<form>csv|json|xlsx)$",
        views.file, name="inventory-file",
    ),
]  # fmt: skip
