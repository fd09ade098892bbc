"""Which channel a name stands for."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from common.read_once import read_once
from growth.models import ChannelAlias, SpendDay


@read_once
def channels() -> dict[str, str]:
    """Return the channel of each alias; any other name is a channel itself."""
    return dict(ChannelAlias.objects.values_list("alias", "channel"))


def days_under_both(alias: str, channel: str) -> int:
    """Return on how many days a campaign has spend under both names."""
    same = SpendDay.objects.filter(
        channel=channel, campaign=OuterRef("campaign"), day=OuterRef("day")
    )
    return SpendDay.objects.filter(Exists(same), channel=alias).count()


@transaction.atomic
def save(alias: ChannelAlias) -> int:
    """Store an alias and move the spend under that name; return the number of moved rows.

    There must be no day under both names: moving it would lose one amount or double the other.
    """
    alias.save()
    return SpendDay.objects.filter(channel=alias.alias).update(channel=alias.channel)
