"""Exclusion rules: a form that shows whom a rule matches before it is in force."""

from contextlib import suppress
from typing import Any

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import DomainNameValidator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from analytics.admin import person_pages
from analytics.models import ExclusionRule
from analytics.people import exclusions

_decode_scalar = msgspec.json.Decoder(str | int | float | bool).decode


class PropertyValueField(forms.CharField):
    """A JSON scalar as people write it: what is no number, true or false is a text."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        with suppress(msgspec.DecodeError):
            return _decode_scalar(text)
        return text or None


class ExclusionRuleForm(forms.ModelForm):
    property_value = PropertyValueField(
        required=False,
        help_text="A text, a number, true or false; “true” in quotes is a text.",
    )

    class Meta:
        model = ExclusionRule
        fields = ["name", "email_domain", "property_name", "property_value"]
        labels = {"email_domain": "E-mail domain"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (value := self.instance.property_value) is not None:
            self.initial = {**self.initial, "property_value": msgspec.json.encode(value).decode()}

    def clean_email_domain(self) -> str:
        domain: str = self.cleaned_data["email_domain"].strip().lower().rpartition("@")[2]
        if domain:
            DomainNameValidator()(domain)
        return domain


@admin.register(ExclusionRule)
class ExclusionRuleAdmin(ModelAdmin):
    form = ExclusionRuleForm
    list_display = ["name", "condition", "persons", "created_at"]
    ordering = ["name"]
    change_form_before_template = "admin/analytics/_exclusion_rule_intro.html"
    actions = None  # deleting many at once would not say whom it brings back

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what a valid rule would do first, and save it when that is confirmed."""
        if request.method == "POST" and "confirmed" not in request.POST:
            rule = self.get_object(request, object_id) if object_id else None
            if not (
                self.has_change_permission(request) if rule else self.has_add_permission(request)
            ):
                raise PermissionDenied
            form = self.get_form(request, rule, change=rule is not None)(
                request.POST, instance=rule
            )
            if form.is_valid():
                return person_pages.page(
                    request,
                    "exclusion_rule_preview",
                    title="Whom the rule excludes",
                    rule=form.instance,
                    condition=condition(form.instance),
                    preview=exclusions.preview(form.instance),
                    given={name: request.POST.get(name, "") for name in form.fields},
                )
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, extra_context
        )
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def save_model(
        self, request: HttpRequest, obj: ExclusionRule, form: ExclusionRuleForm, change: bool
    ) -> None:
        messages.info(request, person_pages.told(exclusions.save_rule(obj)))

    def delete_model(self, request: HttpRequest, obj: ExclusionRule) -> None:
        effect = exclusions.delete_rules(ExclusionRule.objects.filter(pk=obj.pk))
        messages.info(request, person_pages.told(effect))

    @admin.display(description="Excludes")
    def condition(self, rule: ExclusionRule) -> str:
        return condition(rule)

    @admin.display(description="Persons")
    def persons(self, rule: ExclusionRule) -> SafeString:
        address = reverse("admin:analytics_person_changelist")
        return format_html(
            '<a class="text-primary-600 underline dark:text-primary-500"'
            ' href="{}?profile=any&rule={}">Show whom it matches</a>',
            address,
            rule.pk,
        )


def condition(rule: ExclusionRule) -> str:
    """Return whom a rule matches, in words."""
    if rule.email_domain:
        return f"e-mail addresses at {rule.email_domain}"
    return f"{rule.property_name} = {msgspec.json.encode(rule.property_value).decode()}"
