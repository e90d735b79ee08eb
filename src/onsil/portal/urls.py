"""Where the public's screens hang."""

from django.urls import path

from onsil.portal.views import home, journey, log, offer, pages, receipts, registry, sites, trust

urlpatterns = [
    path("", home.home, name="home"),
    path("parts/totals/", home.figures, name="home-figures"),
    path("city/boundary.geojson", home.boundary, name="boundary"),
    path("city/districts.geojson", home.districts, name="districts"),
    path("sites/<slug:code>/", sites.site, name="site"),
    path("sites/<slug:code>/chart/", sites.chart, name="site-chart"),
    path("verify/", pages.verify, name="verify"),
    path("about/data/", pages.data, name="about-data"),
    path("data/", offer.catalogue, name="data-sets"),
    path("data/<slug:id>/", offer.data_set, name="data-set"),
    path("data/<slug:id>/data.csv", offer.download, {"form": "csv"}, "data-set-csv"),
    path("data/<slug:id>/data.parquet", offer.download, {"form": "parquet"}, "data-set-parquet"),
    path("data/<slug:id>/data.geojson", offer.download, {"form": "geojson"}, "data-set-geojson"),
    path("data/<slug:id>/data.xlsx", offer.download, {"form": "xlsx"}, "data-set-xlsx"),
    path("catalog.ttl", offer.rdf, {"form": "ttl"}, "catalogue-ttl"),
    path("catalog.jsonld", offer.rdf, {"form": "jsonld"}, "catalogue-jsonld"),
    path("catalog.rdf", offer.rdf, {"form": "rdf"}, "catalogue-rdf"),
    path("dataset/<slug:id>.ttl", offer.rdf, {"form": "ttl"}, "data-set-ttl"),
    path("dataset/<slug:id>.jsonld", offer.rdf, {"form": "jsonld"}, "data-set-jsonld"),
    path("dataset/<slug:id>.rdf", offer.rdf, {"form": "rdf"}, "data-set-rdf"),
    path("registry/", registry.registry, name="registry"),
    path("registry/<uuid:batch>/", registry.batch, name="registry-batch"),
    path("registry/retirements/<uuid:retirement>/", registry.certificate, name="certificate"),
    path("trace/reading/", journey.reading, name="trace-reading"),
    path("trace/<slug:kind>/<str:id>/", journey.trace, name="trace"),
    path("trace/<slug:kind>/<str:id>/bundle.json", journey.bundle, name="trace-bundle"),
    path("receipt/<slug:kind>/<uuid:id>/", receipts.receipt, name="receipt"),
    path("receipt/<slug:kind>/<uuid:id>/receipt.tlog-proof", receipts.receipt_file,
         name="receipt-file"),
    path("trust/", trust.trust, name="trust"),
    path("log/", log.transparency, name="transparency"),
    path("log/policy.txt", log.policy, name="log-policy"),
    path("log/<int:year>/policy.txt", log.policy, name="log-policy-of"),
    path("log/verify_receipt.py", receipts.verifier_program, name="verifier-program"),
    path("log/<slug:city>/<int:year>/<path:path>", log.log_file, name="log"),
]  # fmt: skip
