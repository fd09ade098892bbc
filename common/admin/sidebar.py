"""The admin's sidebar: each app registers its groups of links in `AppConfig.ready`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import resolve, reverse, reverse_lazy

from common.late import LateRegistry

Link = dict[str, Any]  # as the admin theme reads it


@dataclass(frozen=True, slots=True)
class SidebarGroup:
    """Links under a title, sorted by `position`; the first group has no title.

    With `after`, the links join an existing group of the same title, below the link of that name.
    """

    title: str
    links: Sequence[Link]
    position: int = field(default=0, kw_only=True)
    after: str = field(default="", kw_only=True)


registry: LateRegistry[Sequence[SidebarGroup]] = LateRegistry()  # imported by the first page


def navigation(_request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups as the admin theme reads them; links check permissions themselves."""
    registered = [group for app_groups in registry for group in app_groups]
    groups = {group.title: group for group in registered if not group.after}
    links = {title: [*group.links] for title, group in groups.items()}
    for group in registered:
        if group.after:
            titles = [link["title"] for link in links[group.title]]
            below = titles.index(group.after) + 1
            links[group.title][below:below] = group.links
    return [
        {"title": group.title, "separator": True, "items": links[group.title]}
        if group.title
        else {"items": links[group.title]}
        for group in sorted(groups.values(), key=lambda group: group.position)
    ]


def page_link(title: str, icon: str, page: str, *, permission: str = "") -> Link:
    """Return a link, visible to staff with the permission and active on and below its page.

    A `staff_page` names its permission itself.
    """

    def may_open(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(permission or _permission_of(page)))

    return {"title": title, "icon": icon, "link": reverse_lazy(page), "permission": may_open}


def list_link(title: str, icon: str, model: str) -> Link:
    """Return a link to the list of a model, such as ``analytics.person``."""
    app, name = model.split(".")
    page = f"admin:{app}_{name}_changelist"
    return page_link(title, icon, page, permission=f"{app}.view_{name}")


@cache
def _permission_of(page: str) -> str:
    return str(resolve(reverse(page)).func.required_permission)  # type: ignore[attr-defined]
