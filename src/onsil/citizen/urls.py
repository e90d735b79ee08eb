"""Where the citizen's and the shop's screens are."""

from django.urls import path

from onsil.citizen.views import citizen, pay, shell, shop

urlpatterns = [
    path("start/", shell.start, name="start"),
    path("app/", citizen.home, name="app"),
    path("app/join/", citizen.join, name="app-join"),
    path("app/earn/", citizen.earn, name="app-earn"),
    path("app/earn/<slug:code>/", citizen.programme, name="app-programme"),
    path("app/wallet/", citizen.wallet, name="app-wallet"),
    path("app/convert/", citizen.convert, name="app-convert"),
    path("app/convert/<uuid:identity>/", citizen.conversion, name="app-conversion"),
    path(
        "app/convert/<uuid:identity>/state/", citizen.conversion_state, name="app-conversion-state"
    ),
    path("app/history/", citizen.history, name="app-history"),
    path("app/profile/", citizen.profile, name="app-profile"),
    path("app/language/", citizen.language, name="app-language"),
    path("app/scan/", pay.scan, name="app-scan"),
    path("app/pay/<str:token>/", pay.pay, name="app-pay"),
    path("app/show/", pay.show, name="app-show"),
    path("app/show/<uuid:identity>/state/", pay.shown, name="app-shown"),
    path("app/payments/<uuid:identity>/", pay.payment, name="app-payment"),
    path("app/payments/<uuid:identity>/state/", pay.payment_state, name="app-payment-state"),
    path("app/offline/", shell.offline, name="app-offline"),
    path("app/manifest.webmanifest", shell.manifest, {"side": "app"}, name="app-manifest"),
    path("app/worker.js", shell.worker, {"side": "app"}, name="app-worker"),
    path("shop/", shop.take, name="shop"),
    path("shop/codes/<uuid:identity>/", shop.code, name="shop-code"),
    path("shop/codes/<uuid:identity>/state/", shop.code_state, name="shop-code-state"),
    path("shop/codes/<uuid:identity>/cancel/", shop.code_cancel, name="shop-code-cancel"),
    path("shop/scan/", shop.scan, name="shop-scan"),
    path("shop/charge/<str:token>/", shop.charge, name="shop-charge"),
    path("shop/payments/<uuid:identity>/", shop.payment, name="shop-payment"),
    path("shop/payments/<uuid:identity>/state/", shop.payment_state, name="shop-payment-state"),
    path("shop/payments/<uuid:identity>/cancel/", shop.cancel, name="shop-cancel"),
    path("shop/sales/", shop.sales, name="shop-sales"),
    path("shop/sales/rows/", shop.sales_rows, name="shop-sales-rows"),
    path("shop/settlement/", shop.settlement, name="shop-settlement"),
    path("shop/settlement/<uuid:identity>.csv", shop.settlement_file, name="shop-settlement-file"),
    path("shop/apply/", shop.apply, name="shop-apply"),
    path("shop/choose/", shop.choose, name="shop-choose"),
    path("shop/manifest.webmanifest", shell.manifest, {"side": "shop"}, name="shop-manifest"),
    path("shop/worker.js", shell.worker, {"side": "shop"}, name="shop-worker"),
]
