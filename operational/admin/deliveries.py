"""Messages to staff, and the channels they are sent to besides e-mail."""

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminPasswordWidget

from common.admin.model_admin import ModelAdmin
from common.admin.read_only import ReadOnlyAdmin
from operational.messages import channels
from operational.models import AlertChannel, Delivery


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "recipient", "subject", "status", "attempts", "problem"]
    list_filter = ["status", "kind"]
    list_select_related = ["channel"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    fields = [
        *("kind", "recipient", "subject", "status", "attempts", "created_at", "due_at"),
        *("expires_at", "sent_at", "problem", "text"),
    ]


class AlertChannelForm(forms.ModelForm):
    """The address holds secrets, so it is never displayed again; empty keeps it."""

    url = forms.CharField(
        widget=UnfoldAdminPasswordWidget,
        required=False,
        max_length=1000,
        label="Apprise URL",
        help_text=(
            "For example slack://TokenA/TokenB/TokenC/ or jsons://hooks.example.com/alerts."
            " It must be public, or in PLUMBLINE_ALLOWED_NETWORKS."
            " It is not displayed again; leave it empty to keep it."
        ),
    )

    class Meta:
        model = AlertChannel
        fields = ["name", "url", "enabled"]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if not url and self.instance.url:
            return str(self.instance.url)
        try:
            channels.check(url)
        except channels.InvalidAddress as error:
            raise forms.ValidationError(str(error)) from error
        return url


@admin.register(AlertChannel)
class AlertChannelAdmin(ModelAdmin):
    form = AlertChannelForm
    list_display = ["name", "service", "enabled"]

    @admin.display(description="Service")
    def service(self, channel: AlertChannel) -> str:
        return channels.service_name(channel.url)
