"""The public page on which people choose their marketing mail.

Everyone who gets hold of a link can open it: it shows nothing of the person but a masked address.
"""

from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from growth.models import MailTopic
from growth.suppression import preferences, suppressions
from growth.suppression.preferences import PreferencesLink

_TEMPLATE = "growth/preferences.html"


@never_cache
@csrf_exempt  # mail clients post without a page of ours; the link is the permission
@require_http_methods(["GET", "HEAD", "POST"])
def preferences_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the choices. Only a POST changes any: a GET or HEAD, as scanners send, does not."""
    link = preferences.read_token(token)
    if link is None:
        context = admin.site.each_context(request) | {"is_invalid": True}
        return render(request, _TEMPLATE, context, status=HTTPStatus.NOT_FOUND)
    message = _change(request, link) if request.method == "POST" else ""
    from_all, topic_ids = preferences.unsubscribed(link)
    topics = [(topic, topic.pk not in topic_ids) for topic in MailTopic.objects.all()]
    context = {
        **admin.site.each_context(request),  # the colors of the theme
        "link": link,
        "message": message,
        "from_all": from_all,
        "topics": topics,
        "is_stopped": not from_all and suppressions.is_suppressed(link.address),
    }
    return render(request, _TEMPLATE, context)


def _change(request: HttpRequest, link: PreferencesLink) -> str:
    """Do what was posted, and return what to say about it.

    A POST without one of our buttons is a mail client's: it unsubscribes from what the mail was
    about.
    """
    now, choice = timezone.now(), request.POST.get("choice")
    if choice == "topics":
        chosen = set(request.POST.getlist("topic"))
        wanted = {topic.pk for topic in MailTopic.objects.all() if str(topic.pk) in chosen}
        preferences.choose(link, wanted, now=now)
        return "Your choices are saved."
    if choice == "again":
        preferences.subscribe_again(link, now=now)
        return "You get marketing e-mails again."
    if choice == "all":
        preferences.unsubscribe(link, topic=None, source=preferences.PAGE, now=now)
        return "You are unsubscribed from all marketing e-mails."
    preferences.unsubscribe(link, topic=link.topic, source=preferences.ONE_CLICK, now=now)
    return f"You are unsubscribed from {link.topic or 'all marketing e-mails'}."
