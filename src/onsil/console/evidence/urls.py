"""Where the verifier's screens hang."""

from django.urls import path

from onsil.console.evidence import views

urlpatterns = [
    path("console/evidence/", views.runs, name="evidence"),
    path("console/evidence/runs/<uuid:run>/", views.run, name="evidence-run"),
    path("console/evidence/runs/<uuid:run>/recompute/", views.recompute, name="evidence-recompute"),
    path("console/evidence/runs/<uuid:run>/bundle.json", views.bundle, name="evidence-bundle"),
    path("console/evidence/runs/<uuid:run>/bundle.zip", views.archive, name="evidence-archive"),
    path("console/evidence/runs/<uuid:run>/inspect/", views.inspect, name="evidence-inspect"),
    path("console/evidence/runs/<uuid:run>/sample/", views.sample, name="evidence-sample"),
    path("console/evidence/runs/<uuid:run>/findings/", views.raise_one, name="evidence-raise"),
    path("console/evidence/findings/", views.findings, name="evidence-findings"),
    path(
        "console/evidence/findings/<uuid:finding>/<slug:act>/", views.act, name="evidence-finding"
    ),
    path("console/evidence/log/", views.log, name="evidence-log"),
    path("console/evidence/log/verify/", views.verify_log, name="evidence-log-verify"),
]
