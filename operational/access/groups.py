"""Ready-made groups of staff, each of which may do what the one before it may.

Migrating creates the groups that are missing and leaves existing ones alone: staff may change them.
"""

from collections.abc import Iterator

from django.contrib.auth.models import Group, Permission

VIEWER, ANALYST, OPERATOR, OWNER = GROUPS = "Viewer", "Analyst", "Operator", "Owner"

# The first group may view the models, the second may add, change and delete them. Viewers see no
# personal data. What is not listed here, such as users and tokens, is for owners.
MODELS = {
    (VIEWER, OWNER): [
        *("analytics.capturehour", "analytics.counter", "analytics.eventday"),
        *("analytics.eventminute", "analytics.forwardingbatch", "analytics.forwardingstate"),
        *("analytics.importrun", "analytics.lastactiveblock", "analytics.rollupdefinition"),
        *("billing.cashentry", "billing.heldobject", "billing.mrrday", "billing.mrrmovement"),
        "growth.referralcheck",
        *("operational.alertchange", "operational.heartbeat", "operational.jobrun"),
        *("operational.kpireading", "operational.qualityresult"),
    ],
    (VIEWER, OPERATOR): [
        *("billing.fxrate", "billing.plan", "billing.planlimit", "billing.planprice"),
        *("billing.revenuesettings", "billing.usagemeter", "growth.mailtopic"),
        *("growth.channelalias", "growth.spendday"),
        *("operational.alert", "operational.kpigoal", "operational.priorityaction"),
        *("operational.qualityignore", "operational.qualityrun", "operational.report"),
    ],
    (ANALYST, OWNER): [
        *("analytics.distinctid", "analytics.event", "analytics.eventuuid", "analytics.group"),
        *("analytics.mailclaim", "analytics.personday", "analytics.personmerge"),
        *("billing.idempotentrequest", "billing.revenuecustomer", "billing.subscriptionstart"),
        *("billing.usagenotice", "growth.mailevent"),
    ],
    (ANALYST, OPERATOR): [
        *("analytics.exclusion", "analytics.exclusionrule", "analytics.person"),
        *("analytics.rejectedevent",),
        *("billing.limitexception", "billing.refusedlink", "billing.stripecustomer"),
        *("billing.stripeevent", "billing.usagereservation"),
        *("growth.referral", "growth.referralcode", "growth.referralreward"),
        "growth.suppression",
    ],
    (OPERATOR, OPERATOR): [
        *("django_celery_beat.clockedschedule", "django_celery_beat.crontabschedule"),
        *("django_celery_beat.intervalschedule", "django_celery_beat.periodictask"),
        *("growth.referralprogram", "operational.alertchannel"),
        *("operational.reportsubscriber",),
    ],
    (OPERATOR, OWNER): [
        *("analytics.inboxrequest", "analytics.projectkey", "operational.delivery"),
    ],
    (OWNER, OWNER): [
        *("analytics.erasedid", "analytics.erasure", "analytics.identitysecret"),
        *("billing.erasedcustomer",),
        *("operational.apitoken", "operational.loginlimit"),
    ],
}
EXCEPTIONS = {"analytics.delete_person": OWNER}  # erasing


def create_missing(**_: object) -> None:
    """Create the groups that do not exist, after the permissions of every app exist."""
    missing = {*GROUPS} - {*Group.objects.filter(name__in=GROUPS).values_list("name", flat=True)}
    for name in missing:
        group = Group.objects.create(name=name)
        group.permissions.set(_permissions(name))


def _permissions(name: str) -> Iterator[Permission]:
    first_of = _first_groups()
    for permission in Permission.objects.select_related("content_type"):
        app = permission.content_type.app_label
        first = first_of.get(f"{app}.{permission.codename}", OWNER)
        if GROUPS.index(first) <= GROUPS.index(name):
            yield permission


def _first_groups() -> dict[str, str]:
    """Return the first group that has each permission of the listed models."""
    firsts = {}
    for (views, changes), models in MODELS.items():
        for model in models:
            app, name = model.split(".")
            firsts[f"{app}.view_{name}"] = views
            firsts |= {f"{app}.{action}_{name}": changes for action in ("add", "change", "delete")}
    return firsts | EXCEPTIONS
