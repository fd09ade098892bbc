"""Links of billing in the sidebar."""

from common.admin.sidebar import SidebarGroup, list_link, page_link

GROUPS = [
    SidebarGroup(
        "Billing",
        [
            page_link("Revenue", "payments", "billing:revenue-page"),
            list_link("MRR movements", "swap_vert", "billing.mrrmovement"),
            list_link("Cash", "account_balance", "billing.cashentry"),
            list_link("Held objects", "report", "billing.heldobject"),
            list_link("Stripe events", "webhook", "billing.stripeevent"),
            list_link("Stripe customers", "badge", "billing.stripecustomer"),
            page_link(
                "Unlinked customers",
                "person_search",
                "billing:unlinked-customers",
                permission="billing.view_stripecustomer",
            ),
            list_link("Exchange rates", "currency_exchange", "billing.fxrate"),
            list_link("Revenue settings", "tune", "billing.revenuesettings"),
            list_link("Plans", "sell", "billing.plan"),
            list_link("Limits", "data_usage", "billing.planlimit"),
            list_link("Usage meters", "speed", "billing.usagemeter"),
            list_link("Exceptions", "card_giftcard", "billing.limitexception"),
            list_link("Usage notices", "mail", "billing.usagenotice"),
        ],
        position=30,
    ),
]
