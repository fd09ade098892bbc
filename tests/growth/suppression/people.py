"""Persons with proved addresses for tests."""

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.people import persons
from tests.events import NOON, record


def proved_user(distinct_id, email, **properties):
    """Store an event of the backend that proves a person's address, and return the person."""
    changes = {"$set": {"email": email, **properties}}
    ingest.store([record("$set", distinct_id, NOON, properties=changes, proof=Proof.PROVED)])
    return persons.find_person(distinct_id)
