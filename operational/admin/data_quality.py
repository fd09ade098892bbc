"""The data-quality pages, and the ignored findings."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin.model_admin import ModelAdmin
from common.admin.pages import staff_page
from common.data_quality import RepairableCheck, checks
from common.formatting import number
from operational.admin.pages import page
from operational.models import QualityIgnore
from operational.quality import data_quality


@staff_page("operational.view_qualityrun")
@require_GET
def quality_page(request: HttpRequest) -> HttpResponse:
    context = {"quality": data_quality.latest(), "history": data_quality.score_history()}
    return page(request, "data_quality", title="Data quality", **context)


@staff_page("operational.add_qualityrun")
@require_POST
def run_checks(request: HttpRequest) -> HttpResponse:
    done = data_quality.run(now=timezone.now())
    messages.success(request, f"Checked: {'no data' if done.score is None else done.score}.")
    return redirect("operational:data-quality")


@staff_page("operational.add_qualityrun")
def repair(request: HttpRequest, slug: str) -> HttpResponse:
    """Preview a check's remedy, and apply it."""
    check, now = checks().get(slug), timezone.now()
    if not isinstance(check, RepairableCheck):
        raise Http404(f"There is no check {slug} that can be repaired.")
    if request.method == "POST":
        changed = check.repair(now=now, by=request.user.get_username())
        data_quality.run(now=timezone.now())
        messages.success(
            request, f"{check.repair_label}: {number(changed)} changed. All checks ran again."
        )
        return redirect("operational:data-quality")
    examples = check.preview(now=now)
    return page(request, "repair", title=check.name, check=check, examples=examples)


class IgnoreForm(forms.ModelForm):
    check_slug = forms.ChoiceField(label="Check", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = QualityIgnore
        fields = ["check_slug", "reason", "until", "most"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(slug, check.name) for slug, check in checks().items()]
        self.fields["check_slug"].choices = names  # type: ignore[attr-defined]


@admin.register(QualityIgnore)
class QualityIgnoreAdmin(ModelAdmin):
    form = IgnoreForm
    list_display = ["name", "reason", "until", "most", "created_by"]
    list_select_related = ["created_by"]
    ordering = ["-until"]

    def save_model(
        self, request: HttpRequest, obj: QualityIgnore, form: forms.ModelForm, change: bool
    ) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    @admin.display(description="Check", ordering="check_slug")
    def name(self, ignore: QualityIgnore) -> str:
        check = checks().get(ignore.check_slug)
        return check.name if check else ignore.check_slug
