"""Exclusion rules: a form that previews the persons a rule matches before it is saved."""

from contextlib import suppress
from typing import Any

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.validators import DomainNameValidator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from analytics.admin import person_pages
from analytics.models import ExclusionRule
from analytics.people import exclusions
from analytics.people.exclusion_conditions import in_words
from common.admin.pages import link_to
from common.admin.preview_before_save import PreviewBeforeSave
from common.calculations.mailbox import lower_ascii

_decode_scalar = msgspec.json.Decoder(str | int | float | bool).decode


class PropertyValueField(forms.CharField):
    """A JSON scalar as people write it: all but numbers, true and false are texts."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        with suppress(msgspec.DecodeError):
            return _decode_scalar(text)
        return text or None


class ExclusionRuleForm(forms.ModelForm):
    property_value = PropertyValueField(
        required=False,
        help_text="A text in any case, a number, true or false: true also matches “True” and 1.",
    )

    class Meta:
        model = ExclusionRule
        fields = ["name", "email_domain", "with_subdomains", "property_name", "property_value"]
        labels = {"email_domain": "E-mail domain"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (value := self.instance.property_value) is not None:
            self.initial = {**self.initial, "property_value": msgspec.json.encode(value).decode()}

    def clean_email_domain(self) -> str:
        text = lower_ascii(self.cleaned_data["email_domain"].strip())
        domain = text.rpartition("@")[2].rstrip(">").strip(".")
        if domain:
            DomainNameValidator()(domain)
        return domain


@admin.register(ExclusionRule)
class ExclusionRuleAdmin(PreviewBeforeSave):
    form = ExclusionRuleForm
    list_display = ["name", "condition", "persons", "created_at"]
    ordering = ["name"]
    change_form_before_template = "admin/analytics/_exclusion_rule_intro.html"
    preview_template = "admin/analytics/exclusion_rule_preview.html"
    actions = None  # deleting many at once would not show which persons count again

    def preview(self, request: HttpRequest, form: forms.ModelForm) -> dict[str, Any]:
        return {
            **person_pages.shared_context(),
            "title": "Persons excluded by the rule",
            "rule": form.instance,
            "condition": in_words(form.instance),
            "preview": exclusions.preview(form.instance),
        }

    def save_model(
        self, request: HttpRequest, obj: ExclusionRule, form: ExclusionRuleForm, change: bool
    ) -> None:
        effect = exclusions.save_rule(obj, by=request.user.get_username())
        messages.info(request, person_pages.effect_message(effect))

    def delete_model(self, request: HttpRequest, obj: ExclusionRule) -> None:
        rules = ExclusionRule.objects.filter(pk=obj.pk)
        effect = exclusions.delete_rules(rules, by=request.user.get_username())
        messages.info(request, person_pages.effect_message(effect))

    @admin.display(description="Excludes")
    def condition(self, rule: ExclusionRule) -> str:
        return in_words(rule)

    @admin.display(description="Persons")
    def persons(self, rule: ExclusionRule) -> SafeString:
        address = reverse("admin:analytics_person_changelist")
        return link_to(f"{address}?profile=any&rule={rule.pk}", "Show matching persons")
