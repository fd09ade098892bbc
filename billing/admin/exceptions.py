"""Exceptions granted to a person, with a reason and an end date."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from analytics.models import DistinctId
from analytics.people import persons, proving
from billing.limits import plans
from billing.models import LimitException
from common.admin.model_admin import ModelAdmin
from common.admin.pages import link_to
from common.formatting import number


class DistinctIdField(forms.CharField):
    """A distinct id of an existing person."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return value.pk if isinstance(value, DistinctId) else value

    def clean(self, value: Any) -> DistinctId | None:
        text = super().clean(value)
        if not text or persons.find_person(text) is None:
            raise ValidationError(f"No person has the distinct id “{text}”.")
        return persons.stored_distinct_id(text)


class LimitExceptionForm(forms.ModelForm):
    distinct_id = DistinctIdField(
        label="Person",
        help_text="Any of the person's distinct ids; the exception follows it, and proves it",
    )

    class Meta:
        model = LimitException
        fields = ["distinct_id", "plan", "meter", "amount", "ends_on", "reason"]

    def clean_ends_on(self) -> Any:
        day = self.cleaned_data["ends_on"]
        today = plans.today(timezone.now())
        if "ends_on" in self.changed_data and day < today:
            raise ValidationError(f"{day} is in the past: choose {today} or later.")
        return day


class InForceFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_force", "In force"), ("over", "Expired")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LimitException]
    ) -> QuerySet[LimitException]:
        today = plans.today(timezone.now())
        if self.value() == "in_force":
            return queryset.filter(ends_on__gte=today)
        return queryset.filter(ends_on__lt=today) if self.value() == "over" else queryset


@admin.register(LimitException)
class LimitExceptionAdmin(ModelAdmin):
    form = LimitExceptionForm
    list_display = ["person", "grants", "ends_on", "reason", "created_by", "created_at"]
    list_display_links = ["grants"]
    list_filter = [InForceFilter, "plan", "meter"]
    list_select_related = ["distinct_id", "plan", "meter", "created_by"]
    search_fields = ["distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a distinct id"
    ordering = ["-pk"]
    change_form_before_template = "admin/billing/_exception_intro.html"

    def save_model(
        self, request: HttpRequest, obj: LimitException, form: LimitExceptionForm, change: bool
    ) -> None:
        if not change and isinstance(request.user, User):
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
        # Otherwise a claim to the id would be one to what is granted to it.
        transaction.on_commit(partial(proving.prove, obj.distinct_id_id, cause="exception"))

    @admin.display(description="Person")
    def person(self, exception: LimitException) -> SafeString:
        return link_to(
            reverse("billing:person-usage", args=[exception.distinct_id.person_id]),
            exception.distinct_id_id,
        )

    @admin.display(description="Grants")
    def grants(self, exception: LimitException) -> str:
        return grant_of(exception)


def grant_of(exception: LimitException) -> str:
    """Return what an exception grants, such as "Team plan" or "50 Workflow runs"."""
    if exception.plan is not None:
        return f"{exception.plan} plan"
    how_many = "No limit on" if exception.amount is None else number(exception.amount)
    return f"{how_many} {exception.meter}"
