"""Lifting a suppression with a reason; importing and exporting the list."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.admin.pages import staff_page
from common.csv_download import csv_download
from common.formatting import counted
from growth.calculations.mail.suppression_file import NotReadable
from growth.models import Suppression
from growth.suppression import importing, suppressions

_LIST = "admin:growth_suppression_changelist"
MOST_BYTES = 10_000_000


class LiftForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Why mail may go to this address again")


class ImportForm(forms.Form):
    """A file, or its text when the preview is confirmed."""

    file = forms.FileField(required=False, help_text="Columns: address, and perhaps topic, reason")
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file and (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(
                "Larger than 10 MB: use manage.py import_suppressions instead."
            )
        return file

    def content(self) -> bytes:
        file = self.cleaned_data["file"]
        content: bytes = file.read() if file else self.cleaned_data["text"].encode()
        return content


@staff_page("growth.change_suppression")
@require_http_methods(["GET", "HEAD", "POST"])
def lift_page(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Suppression.objects.select_related("topic"), pk=pk, lifted_at=None)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _lift(request, row, form.cleaned_data["reason"])
        return redirect(_LIST)
    context = {
        **admin.site.each_context(request),
        "title": "Lift a suppression",
        "suppression": row,
        "form": form,
    }
    return TemplateResponse(request, "admin/growth/lift_suppression.html", context)


def _lift(request: HttpRequest, row: Suppression, reason: str) -> None:
    rows = Suppression.objects.filter(pk=row.pk)
    by = request.user.get_username()
    if not suppressions.lift(rows, by=by, reason=reason, now=timezone.now()):
        messages.info(request, "It was lifted already.")
        return
    LogEntry.objects.create(
        user=cast("User", request.user),
        content_type=ContentType.objects.get_for_model(Suppression),
        object_id=str(row.pk),
        object_repr=f"suppression {row.pk}",
        action_flag=CHANGE,
        change_message="Lifted; its row has the reason",
    )
    messages.success(request, "Lifted. Other reasons not to mail the address stay in force.")


@staff_page("growth.add_suppression")
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    """Preview a file, then import it."""
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Import suppressed addresses",
        "form": form,
    }
    if request.method == "POST" and form.is_valid():
        content, now = form.content(), timezone.now()
        try:
            if "confirmed" in request.POST:
                result = importing.import_rows(content, at=now)
                messages.success(
                    request, f"{counted(result.added, 'address', 'addresses')} suppressed."
                )
                return redirect(_LIST)
            context["result"] = importing.preview(content, at=now)
            context["text"] = content.decode("utf-8-sig")
        except NotReadable as error:
            context["problem"] = f"The file {error}."
    return TemplateResponse(request, "admin/growth/import_suppressions.html", context)


@staff_page("growth.view_suppression")
@require_safe
def export(_request: HttpRequest) -> Any:
    return csv_download("suppressions.csv", importing.EXPORT_COLUMNS, importing.exported())
