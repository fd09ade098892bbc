"""Lists of spend and of the aliases of channels."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from common.admin.model_admin import ModelAdmin
from common.formatting import counted, money
from growth.calculations.spend.channels import normalized
from growth.models import ChannelAlias, SpendDay
from growth.spend import aliases


@admin.register(SpendDay)
class SpendDayAdmin(ModelAdmin):
    """Rows are entered on the page for it, which shows what changes; here they can be deleted."""

    list_display = ["day", "channel", "campaign", "spent", "counted_as", "fx_rate", "updated_at"]
    list_filter = ["currency"]
    search_fields = ["channel__istartswith", "campaign__istartswith"]
    search_help_text = "Start of a channel or of a campaign"
    date_hierarchy = "day"
    ordering = ["-day", "channel", "campaign"]
    list_before_template = "admin/growth/_spend_intro.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SpendDay | None = None) -> bool:
        return False

    @admin.display(description="Amount", ordering="amount")
    def spent(self, row: SpendDay) -> str:
        return money(row.amount, row.currency)

    @admin.display(description="Counted as", ordering="reported")
    def counted_as(self, row: SpendDay) -> str:
        return "Held: no exchange rate" if row.reported is None else money(row.reported, row.into)


class AliasForm(forms.ModelForm):
    class Meta:
        model = ChannelAlias
        fields = ["alias", "channel"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        alias, channel = (normalized(cleaned.get(name, "")) for name in ("alias", "channel"))
        if alias != channel and (days := aliases.days_under_both(alias, channel)):
            raise ValidationError(
                f"{counted(days, 'day')} of a campaign have spend as “{alias}” and as"
                f" “{channel}”. Delete it under one of the names first."
            )
        return cleaned


@admin.register(ChannelAlias)
class ChannelAliasAdmin(ModelAdmin):
    form = AliasForm
    list_display = ["alias", "channel"]
    search_fields = ["alias__istartswith", "channel__istartswith"]
    ordering = ["channel", "alias"]

    def save_model(self, request: HttpRequest, obj: ChannelAlias, form: Any, change: bool) -> None:
        if moved := aliases.save(obj):
            messages.success(request, f"Moved to {obj.channel}: {counted(moved, 'day')} of spend.")
