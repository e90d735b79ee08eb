"""Where the claims' screens hang."""

from django.urls import path

from onsil.console.claims import changes, views

urlpatterns = [
    path("console/claims/", views.listing, name="claims"),
    path("console/claims/refused/", views.refused, name="claims-refused"),
    path("console/claims/boundaries/", views.boundaries, name="claims-boundaries"),
    path("console/claims/boundaries/add/", changes.put_inside, name="claims-boundary-add"),
    path("console/claims/meter/", views.meter, name="claims-meter"),
    path("console/claims/<uuid:claim>/release/", changes.release, name="claims-release"),
]
