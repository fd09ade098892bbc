"""Admin forms that show what a change would do before it is saved."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from common.admin.model_admin import ModelAdmin


class PreviewedForm(ModelAdmin):
    """A form whose effect can be shown without saving it."""

    def bound_form(self, request: HttpRequest, obj: Model | None) -> ModelForm:
        """Return the posted form, for those who may save it."""
        may_save = self.has_change_permission(request) if obj else self.has_add_permission(request)
        if not may_save:
            raise PermissionDenied
        form_class = self.get_form(request, obj, change=obj is not None)
        form: ModelForm = form_class(request.POST, instance=obj)
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


class PreviewBeforeSave(PreviewedForm):
    """A form that is saved from the page that shows its effect.

    The page is `preview_template`; it includes `admin/_confirm_save.html`, which posts the form
    again.
    """

    preview_template: str

    def preview(self, request: HttpRequest, form: ModelForm) -> dict[str, Any]:
        """Return the context of the page that shows what a valid form would do."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST" and "confirmed" not in request.POST:
            obj = self.get_object(request, object_id) if object_id else None
            form = self.bound_form(request, obj)
            if form.is_valid():
                context = {
                    **self.admin_site.each_context(request),
                    "posted": {
                        name: request.POST[name] for name in form.fields if name in request.POST
                    },
                    **self.preview(request, form),
                }
                return TemplateResponse(request, self.preview_template, context)
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, extra_context
        )
        return response
