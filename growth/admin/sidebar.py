"""Links of growth in the sidebar."""

from common.admin.sidebar import SidebarGroup, list_link, page_link

GROUPS = [
    SidebarGroup(
        "Growth",
        [
            page_link("Acquisition", "savings", "growth:acquisition"),
            list_link("Spend by day", "payments", "growth.spendday"),
            list_link("Channel aliases", "alt_route", "growth.channelalias"),
            page_link("Referrals", "group_add", "growth:referrals"),
            list_link("Referred people", "person_add", "growth.referral"),
            list_link("Referral rewards", "redeem", "growth.referralreward"),
            list_link("Referral codes", "link", "growth.referralcode"),
            list_link("Referral programs", "campaign", "growth.referralprogram"),
            list_link("Suppressed addresses", "unsubscribe", "growth.suppression"),
            list_link("E-mail events", "mark_email_read", "growth.mailevent"),
            list_link("E-mail topics", "topic", "growth.mailtopic"),
        ],
        position=35,
    ),
]
