"""Plans and their Stripe prices; limits have a form of their own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from billing.admin.history import ValuesInHistory
from billing.limits import plans
from billing.models import Plan, PlanPrice
from common.admin.model_admin import ModelAdmin
from common.formatting import UNKNOWN, number


class PlanForm(forms.ModelForm):
    features = SimpleArrayField(
        forms.CharField(max_length=200, required=False),
        delimiter="\n",
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="One per line; your product reads them from GET /api/billing/usage",
    )

    class Meta:
        model = Plan
        fields = ["name", "slug", "rank", "offered", "emails", "features"]

    def clean_features(self) -> list[str]:
        return [feature for feature in self.cleaned_data["features"] if feature]


class PlanPriceInline(TabularInline):
    model = PlanPrice
    extra = 1
    verbose_name_plural = "Stripe prices of this plan: monthly, yearly, earlier ones"


@admin.register(Plan)
class PlanAdmin(ValuesInHistory, ModelAdmin):
    form = PlanForm
    fields = PlanForm.Meta.fields
    inlines = [PlanPriceInline]
    list_display = [
        "name",
        "slug",
        "rank",
        "formatted_limits",
        "formatted_prices",
        "offered",
        "is_default",
    ]
    ordering = ["rank"]
    actions = ["make_default"]
    change_form_before_template = "admin/billing/_plan_intro.html"
    change_form_after_template = "admin/billing/_plan_limits.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        rows: QuerySet[Plan] = super().get_queryset(request)
        return rows.prefetch_related("prices", "limits__meter")

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Plan | None = None
    ) -> dict[str, list[str]]:
        return {} if obj else {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        if obj is not None and obj.is_default:
            return False  # everyone who pays nothing has it
        return bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would also delete the default plan
        return actions

    @admin.action(description="Make this the default plan", permissions=["change"])
    def make_default(self, request: HttpRequest, selected: QuerySet[Plan]) -> None:
        if len(selected) != 1:
            messages.error(request, "Select a single plan: there is only one default.")
            return
        plan = plans.make_default(selected[0].pk)
        self.log_change(request, plan, "Made the default plan")
        messages.success(request, f"{plan} is now the default plan.")

    def response_add(
        self, request: HttpRequest, obj: Plan, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.info(request, f"{obj} has no limits yet: add them below.")
        address = reverse("admin:billing_plan_change", args=[obj.pk])
        response: HttpResponse = super().response_post_save_change(request, obj)
        response.headers["Location"] = address
        return response

    @admin.display(description="Limits")
    def formatted_limits(self, plan: Plan) -> SafeString | str:
        rows = ((row.meter.name, number(row.amount)) for row in plan.limits.all())
        return format_html_join(", ", "{}&nbsp;{}", rows) or "No limits"

    @admin.display(description="Stripe prices")
    def formatted_prices(self, plan: Plan) -> SafeString | str:
        prices = format_html_join(
            ", ", "<code>{}</code>", ((price.price_id,) for price in plan.prices.all())
        )
        return prices or (UNKNOWN if plan.is_default else "None: cannot be bought")
