"""Where the plan's screens hang."""

from django.urls import path

from onsil.console.targets import changes, views

urlpatterns = [
    path("console/targets/", views.board, name="targets"),
    path("console/targets/load/", changes.load, name="targets-load"),
    path("console/targets/pathway/", views.pathway, name="targets-pathway"),
    path("console/targets/measures/<uuid:measure>/", views.measure, name="targets-measure"),
    path("console/targets/measures/<uuid:measure>/terms/", changes.terms, name="targets-terms"),
    path("console/targets/measures/<uuid:measure>/target/", changes.target, name="targets-target"),
    path("console/targets/measures/<uuid:measure>/evidence/", changes.link, name="targets-link"),
    path(
        "console/targets/evidence/<uuid:evidence>/withdraw/",
        changes.withdraw,
        name="targets-withdraw",
    ),
    path("console/targets/<uuid:plan>/goal/", changes.goal, name="targets-goal"),
    path("console/targets/<uuid:plan>/measure/", changes.add, name="targets-add"),
    path("console/targets/<uuid:plan>/review/<int:year>/", views.review, name="targets-review"),
    path(
        "console/targets/<uuid:plan>/review/<int:year>/<slug:act>/",
        changes.review,
        name="targets-review-act",
    ),
]
