"""Where the officials' screens hang."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path, re_path

from onsil.console.views import (
    audit,
    dashboard,
    data_requests,
    data_sets,
    explore,
    members,
    people,
    programmes,
    projects,
    refunds,
    shop_facts,
    shops,
    sites,
    verification,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("console/", dashboard.board, name="console"),
    path("console/part/<slug:part>/", dashboard.part, name="console-part"),
    path("console/kpis.csv", dashboard.kpis_csv, name="console-kpis-csv"),
    path("console/boundary.geojson", dashboard.boundary, name="console-boundary"),
    path("console/districts.geojson", dashboard.districts, name="console-districts"),
    path("console/sites/", sites.listing, name="console-sites"),
    path("console/sites/<uuid:site>/", sites.detail, name="console-site"),
    path("console/sites/<uuid:site>/points.csv", sites.points_csv, name="console-site-csv"),
    path("console/quarantine/", sites.quarantine, name="console-quarantine"),
    path("console/verification/", verification.listing, name="console-verification"),
    path("console/explore/", explore.explorer, name="console-explore"),
    path("console/explore/call/", explore.call, name="console-call"),
    re_path(
        r"^console/explore/(series|entities)\.(csv|xlsx)$",
        explore.explorer_file,
        name="console-explore-file",
    ),
    path("console/data-sets/", data_sets.listing, name="console-data-sets"),
    path("console/data-requests/", data_requests.listing, name="console-data-requests"),
    path(
        "console/data-requests/<uuid:request_id>/decide/",
        data_requests.decide,
        name="console-data-request-decide",
    ),
    path("console/programmes/", programmes.listing, name="console-programmes"),
    path("console/programmes/<slug:code>/", programmes.detail, name="console-programme"),
    path("console/programmes/<slug:code>/fund/", programmes.fund, name="console-fund"),
    path("console/projects/", projects.listing, name="console-projects"),
    path("console/projects/new/", projects.create, name="console-project-new"),
    path("console/projects/<uuid:project>/", projects.detail, name="console-project"),
    path("console/projects/<uuid:project>/open/", projects.open_period, name="console-open-period"),
    path("console/monitorings/<uuid:monitoring>/", projects.monitoring, name="console-monitoring"),
    path(
        "console/monitorings/<uuid:monitoring>/<slug:act>/",
        projects.act,
        name="console-monitoring-act",
    ),
    path("console/batches/<uuid:batch>/list/", projects.list_batch, name="console-batch-list"),
    path("console/runs/<uuid:run>/", projects.run_panel, name="console-run"),
    path("console/runs/<uuid:run>/claim/", projects.claim_run, name="console-run-claim"),
    path("console/shops/", shops.listing, name="console-shops"),
    path("console/shops/<uuid:shop>/decide/", shops.decide, name="console-shop-decide"),
    path("console/settlements/<uuid:settlement>/release/", shops.release, name="console-release"),
    path("console/settlements/<uuid:settlement>.csv", shops.file, name="console-settlement-file"),
    path("console/shops/<uuid:shop>/facts/", shop_facts.check, name="console-shop-facts"),
    path("console/refunds/", refunds.listing, name="console-refunds"),
    path("console/refunds/release/", refunds.release, name="console-refunds-release"),
    path("console/refunds/<uuid:refund>/decide/", refunds.decide, name="console-refund-decide"),
    path("console/refunds/files/<uuid:identity>.csv", refunds.file, name="console-refund-file"),
    path("console/members/", members.desk, name="console-members"),
    path("console/people/", people.listing, name="console-people"),
    path("console/people/<uuid:person>/", people.panel, name="console-person"),
    path("console/people/<uuid:person>/roles/", people.change, name="console-person-roles"),
    path("console/audit/", audit.listing, name="console-audit"),
]
for _part in (
    "market", "evidence", "books", "currency", "devices", "factors", "methodologies", "claims",
    "inventory", "registry", "reports", "targets", "workspace",
):  # fmt: skip
    if find_spec(f"onsil.console.{_part}") and find_spec(f"onsil.console.{_part}.urls"):
        urlpatterns.append(path("", include(f"onsil.console.{_part}.urls")))
