"""The addresses of the citizen's and the shop's plain screens, for looking at all of them."""

CITIZEN = {
    "app-home": "/app/", "app-earn": "/app/earn/", "app-programme": "/app/earn/bus-weekly/",
    "app-programme-new": "/app/earn/household-saving/", "app-wallet": "/app/wallet/",
    "app-convert": "/app/convert/", "app-history": "/app/history/", "app-show": "/app/show/",
    "app-scan": "/app/scan/", "app-profile": "/app/profile/", "app-offline": "/app/offline/",
}  # fmt: skip
SHOP = {
    "shop-take": "/shop/", "shop-scan": "/shop/scan/", "shop-sales": "/shop/sales/",
    "shop-settlement": "/shop/settlement/", "shop-apply": "/shop/apply/",
}  # fmt: skip
