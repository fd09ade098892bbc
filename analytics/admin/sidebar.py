"""The sidebar's links to insights, people and capture."""

from common.admin.sidebar import SidebarGroup, list_link, page_link

GROUPS = [
    SidebarGroup(
        "Analytics",
        [
            page_link("Retention", "replay", "analytics:retention-page"),
            page_link("Active users", "monitoring", "analytics:active-users-page"),
            page_link("Activation", "bolt", "analytics:activation-page"),
            page_link("Funnel", "filter_alt", "analytics:funnel-page"),
            page_link("Events", "list", "analytics:events-page"),
        ],
        position=10,
    ),
    SidebarGroup(
        "People",
        [
            list_link("Persons", "groups", "analytics.person"),
            list_link("Merge journal", "merge", "analytics.personmerge"),
            page_link(
                "Exclusions",
                "person_remove",
                "admin:analytics_exclusion_changelist",
                permission="analytics.view_person",
            ),
            list_link("Exclusion rules", "person_off", "analytics.exclusionrule"),
            list_link("Customer groups", "domain", "analytics.group"),
            list_link("Erasures", "delete_forever", "analytics.erasure"),
        ],
        position=20,
    ),
    SidebarGroup(
        "Capture",
        [
            page_link("Ingestion", "receipt_long", "analytics:ingestion-page"),
            page_link("Capture health", "monitor_heart", "analytics:capture-health-page"),
            list_link("Project keys", "vpn_key", "analytics.projectkey"),
            page_link("Identity secret", "fingerprint", "analytics:identity-secret-page"),
            list_link("Inbox", "inbox", "analytics.inboxrequest"),
            list_link("Rejected events", "block", "analytics.rejectedevent"),
            list_link("Imports", "upload_file", "analytics.importrun"),
        ],
        position=40,
    ),
]
