"""Who may call an endpoint: every view names the permission of its methods.

A token also needs the scope of that permission, such as `analytics:read` for
`analytics.view_person`: a scope limits what the token's user may do and never adds to it.
"""

from collections.abc import Collection
from typing import Any

from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request

ANY_USER = "any user"  # instead of a permission, where there is nothing to protect


class HasRequiredPermission(BasePermission):
    """Refuse a caller without the view's `required_permission`, and any view that names none.

    It is a permission such as `analytics.view_person`, or a mapping of methods to permissions.
    """

    message = "The endpoint names no permission."  # of this request; an instance serves one

    def has_permission(self, request: Request, view: Any) -> bool:
        permission = permission_of(view, request.method or "")
        if permission is not None:
            self.message = refusal(request, permission)
        return not self.message


STAFF_ONLY = [IsAdminUser, HasRequiredPermission]


def permission_of(view: Any, method: str) -> str | None:
    """Return the permission that a method of a view needs; None: it names none."""
    required: Any = getattr(view, "required_permission", None)
    if required is None or isinstance(required, str):
        return required
    if method in required:
        return str(required[method])
    is_forgotten = method not in {"HEAD", "OPTIONS"} and hasattr(view, method.lower())
    return None if is_forgotten else str(next(iter(required.values())))


def refusal(request: Request, permission: str) -> str:
    """Return why a request may not use a permission, or "" if it may."""
    token: Any = request.auth
    user = request.user
    if token is None and not user.is_staff:
        return "Only staff may use the API without a token."
    if permission == ANY_USER:
        return ""
    if token is not None and not covers(token.scopes, permission):
        return f"The token lacks the scope {scope_of(permission)}."
    if not user.has_perm(permission):
        return f"{user.get_username()} lacks the permission {permission}."
    return ""


def scope_of(permission: str) -> str:
    """Return the scope that a token needs to use a permission."""
    app, _, action = permission.partition(".")
    return f"{app}:{'read' if action.startswith('view_') else 'write'}"


def covers(scopes: Collection[str], permission: str) -> bool:
    """Return whether scopes include that of a permission; who may write may also read."""
    scope = scope_of(permission)
    return scope in scopes or scope.replace(":read", ":write") in scopes
