"""Where the devices' screens hang."""

from django.urls import path

from onsil.console.devices import changes, views

urlpatterns = [
    path("console/devices/", views.listing, name="devices"),
    path("console/devices/upload/", changes.upload, name="devices-upload"),
    path("console/devices/template.csv", views.template, name="devices-template"),
    path("console/devices/<str:device>/", views.detail, name="device"),
    path("console/devices/<str:device>/rotate/", changes.rotate, name="device-rotate"),
    path("console/devices/<str:device>/revoke/", changes.revoke, name="device-revoke"),
    path("console/devices/<str:device>/calibrate/", changes.calibrate, name="device-calibrate"),
    path("console/devices/<str:device>/order/", changes.order, name="device-order"),
    path(
        "console/devices/<str:device>/cancel/<uuid:command>/", changes.cancel, name="device-cancel"
    ),
]
