"""Enter spend for a range of days, or upload a CSV file: previewed before it is stored."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from analytics.calculations.imports.errors import NotUnderstood
from billing.revenue import settings as revenue_settings
from common.admin.pages import require_permission, staff_page
from common.formatting import counted
from growth.calculations.spend.channels import normalized
from growth.calculations.spend.files import decoded
from growth.calculations.spend.lines import SpendLine, SpendLineError, minor_units
from growth.models import SpendDay
from growth.spend import importing, recording
from growth.spend.recording import Changes

MOST_ROWS = 50  # replaced days on the preview


class EntryForm(forms.Form):
    """What was spent on a channel over some days."""

    channel = forms.CharField()
    campaign = forms.CharField(required=False)
    first = forms.DateField()
    last = forms.DateField()
    amount = forms.CharField()
    currency = forms.CharField()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                cleaned["lines"] = importing.named([_line(cleaned)])
            except SpendLineError as error:
                field, _, text = str(error).partition(": ")
                self.add_error("last" if field == "days" else field, text)
        return cleaned


class CsvForm(forms.Form):
    """A file, or, on the preview, its text."""

    file = forms.FileField(required=False)
    text = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            if cleaned.get("file"):
                cleaned["text"] = decoded(cleaned["file"].read())
            spend = importing.read(cleaned.get("text", ""))
        except NotUnderstood as error:
            raise forms.ValidationError(str(error)) from error
        if spend.problems:
            raise forms.ValidationError(
                [f"Line {number}, {text}" for number, text in spend.problems.items()]
            )
        if not spend.lines:
            raise forms.ValidationError("The file has no lines.")
        return cleaned | {"lines": spend.lines}


@staff_page("growth.view_spendday")
@require_http_methods(["GET", "HEAD", "POST"])
def spend_add_page(request: HttpRequest) -> HttpResponse:
    entry, csv = EntryForm(initial=_initial()), CsvForm()
    if request.method == "POST":
        require_permission(request, "growth.change_spendday")
        form: forms.Form
        if "channel" in request.POST:
            form = entry = EntryForm(request.POST)
        else:
            form = csv = CsvForm(request.POST, request.FILES)
        if form.is_valid():
            return _previewed(request, form)
    context = {
        **admin.site.each_context(request),
        "title": "Enter spend",
        "entry": entry,
        "csv": csv,
        "may_enter": request.user.has_perm("growth.change_spendday"),
    }
    return TemplateResponse(request, "admin/growth/spend_add.html", context)


def _previewed(request: HttpRequest, form: forms.Form) -> HttpResponse:
    """Store the lines once what they change was confirmed; show it before."""
    lines: Sequence[SpendLine] = form.cleaned_data["lines"]
    if "confirmed" in request.POST:
        changes = recording.save(lines, now=timezone.now())
        messages.success(request, _log(request, changes))
        return redirect("growth:acquisition")
    changes = recording.preview(lines, now=timezone.now())
    names = ["text"] if isinstance(form, CsvForm) else EntryForm.base_fields
    posted = {name: form.cleaned_data[name] for name in names}
    for name, value in posted.items():
        posted[name] = value.isoformat() if isinstance(value, date) else value
    context = {
        **admin.site.each_context(request),
        "title": "What changes",
        "changes": changes,
        "lines": len(lines),
        "replaced": changes.replaced[:MOST_ROWS],
        "more": max(len(changes.replaced) - MOST_ROWS, 0),
        "posted": posted,
    }
    return TemplateResponse(request, "admin/growth/spend_preview.html", context)


def _log(request: HttpRequest, changes: Changes) -> str:
    text = (
        f"Stored: {counted(len(changes.added), 'day')} added, {len(changes.replaced)} replaced,"
        f" {len(changes.converted)} converted, {changes.unchanged} unchanged."
    )
    LogEntry.objects.create(
        user=cast("User", request.user),
        content_type=ContentType.objects.get_for_model(SpendDay),
        object_repr="spend",
        action_flag=CHANGE,
        change_message=text,
    )
    return text


def _initial() -> dict[str, str]:
    return {"currency": revenue_settings.currency_in_force()}


def _line(cleaned: dict[str, Any]) -> SpendLine:
    currency = cleaned["currency"].lower()
    return SpendLine(
        channel=normalized(cleaned["channel"]),
        campaign=cleaned["campaign"],
        first=cleaned["first"],
        last=cleaned["last"],
        amount=minor_units(cleaned["amount"], currency),
        currency=currency,
    )
