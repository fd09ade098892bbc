"""The form for a goal."""

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from common.formatting import Unit
from operational.admin.fields import PercentField
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import Better, Goal
from operational.kpis import goals
from operational.models import KpiGoal
from operational.templatetags.figures import basis_name

PERCENT = {Unit.RATE, Unit.CHANGE}


class FigureField(PercentField):
    """A number in the unit of a KPI; shares are entered in percent."""

    widget = UnfoldAdminTextInputWidget

    def set_unit(self, unit: Unit, *, label: str) -> None:
        self.scale = 100 if unit in PERCENT else 1
        self.label = f"{label}, in %" if unit in PERCENT else label
        self.widget.attrs |= {"inputmode": "decimal"}


class GoalForm(forms.ModelForm):
    """The goal in force, to be changed into the next version."""

    target = FigureField()
    warning = FigureField(required=False)
    critical = FigureField(required=False)
    basis = forms.ChoiceField(widget=UnfoldAdminSelectWidget, label="Measured on")
    note = forms.CharField(
        widget=UnfoldAdminTextInputWidget,
        max_length=200,
        required=False,
        label="Reason",
        help_text="Shown in the goal's history",
    )
    in_force = forms.IntegerField(widget=forms.HiddenInput)  # the version that the user saw

    class Meta:
        model = KpiGoal
        fields = ["target", "weight", "warning", "critical", "basis", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kpi = CATALOGUE[self.instance.kpi]
        worse = "below" if kpi.better is Better.HIGHER else "above"
        for name, label, help_text in (
            ("target", "Target", "Full score from this value on"),
            ("warning", "Warning", f"A value {worse} this is a warning; leave empty for none"),
            ("critical", "Critical", f"A value {worse} this is critical; leave empty for none"),
        ):
            self.fields[name].set_unit(kpi.unit, label=label)  # type: ignore[attr-defined]
            self.fields[name].help_text = help_text
        self.initial = {**self.initial, "in_force": self.instance.version, "note": ""}
        if kpi.bases:
            self.fields["basis"].choices = [  # type: ignore[attr-defined]
                (basis.value, basis_name(basis)) for basis in kpi.bases
            ]
        else:
            del self.fields["basis"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        current = goals.in_force()
        goal = current.pop(self.instance.kpi)
        if cleaned.get("in_force") != goal.version:
            raise ValidationError(
                f"Someone else saved version {goal.version} in the meantime. Nothing was saved:"
                " reload the goal and review it first."
            )
        if not self.errors:
            goals.validate(self.changed(goal), others=current)
        return cleaned

    def changed(self, goal: Goal) -> Goal:
        """Return the goal with the values of the form."""
        names = ["target", "weight", "warning", "critical", "basis"]
        entered = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        return replace(goal, **entered)
