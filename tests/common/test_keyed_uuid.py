from uuid import NAMESPACE_URL, uuid5

from common.keyed_uuid import keyed_uuid


def test_a_key_always_has_the_same_uuid():
    assert keyed_uuid("event", "notice", "1") == keyed_uuid("event", "notice", "1")


def test_another_key_or_purpose_has_another_uuid():
    keys = [("event", "a", "b"), ("event", "ab"), ("event", "a:b"), ("message", "a", "b")]
    assert len({keyed_uuid(*key) for key in keys}) == len(keys)


def test_s13_it_cannot_be_computed_without_the_secret_key(settings):
    ours = keyed_uuid("event", "notice", "1")
    settings.SECRET_KEY = "an attacker's guess"
    assert keyed_uuid("event", "notice", "1") != ours
    assert uuid5(NAMESPACE_URL, "plumbline:notice:1") != ours
