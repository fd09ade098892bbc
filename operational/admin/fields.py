"""Form fields for numbers as people write them."""

from typing import Any

from django import forms


class PercentField(forms.FloatField):
    """A share entered in percent: "2" or "2 %" is 0.02."""

    scale = 100

    def prepare_value(self, value: Any) -> Any:
        return f"{value * self.scale:.10g}" if isinstance(value, float) else value

    def clean(self, value: Any) -> float | None:
        number = super().clean(value.replace("%", "") if isinstance(value, str) else value)
        return None if number is None else round(number / self.scale, 12)
