"""Usage notices sent to people."""

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from billing.models import UsageNotice
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import number


@admin.register(UsageNotice)
class UsageNoticeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "person", "meter", "passed", "plan", "outcome"]
    list_display_links = None
    list_filter = ["email", "threshold", "meter", "plan"]
    list_select_related = ["distinct_id", "meter", "plan"]
    search_fields = ["distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a distinct id"
    ordering = ["-pk"]

    @admin.display(description="Person")
    def person(self, notice: UsageNotice) -> SafeString:
        return link_to(
            reverse("billing:person-usage", args=[notice.distinct_id.person_id]),
            notice.distinct_id_id,
        )

    @admin.display(description="Passed", ordering="threshold")
    def passed(self, notice: UsageNotice) -> str:
        return f"{notice.threshold} %: {number(notice.used)} of {number(notice.limit)}"

    @admin.display(description="E-mail", ordering="email")
    def outcome(self, notice: UsageNotice) -> SafeString | str:
        text = notice.get_email_display()
        if notice.email not in {UsageNotice.Email.UNPROVED, UsageNotice.Email.NO_ADDRESS}:
            return text
        page = reverse("billing:person-usage", args=[notice.distinct_id.person_id])
        return link_to(f"{page}#mail", text)
