"""Changes in the admin's history, with their previous values."""

from typing import Any

from django.http import HttpRequest


class ValuesInHistory:
    """A ModelAdmin whose history says "Limit: 10 → 20"."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> str:
        if add:
            return "Added: " + _values(form, form.fields)
        changes = [_change(form, name) for name in form.changed_data]
        changes += [line for formset in formsets or [] for line in _rows(formset)]
        return "; ".join(changes) or "Saved without changes"


def _values(form: Any, names: Any) -> str:
    return "; ".join(
        f"{_label(form, name)}: {_formatted(form.cleaned_data.get(name))}" for name in names
    )


def _change(form: Any, name: str) -> str:
    field, before = form.fields[name], form.initial.get(name)
    if hasattr(field, "queryset"):
        before = field.queryset.filter(pk=before).first()
    return f"{_label(form, name)}: {_formatted(before)} → {_formatted(form.cleaned_data.get(name))}"


def _rows(formset: Any) -> list[str]:
    name = formset.model._meta.verbose_name
    return [
        *(f"{name} {row} added" for row in formset.new_objects),
        *(f"{name} changed to {row}" for row, _ in formset.changed_objects),
        *(f"{name} {row} removed" for row in formset.deleted_objects),
    ]


def _label(form: Any, name: str) -> str:
    return str(form[name].label)


def _formatted(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in {None, ""} else str(value)
