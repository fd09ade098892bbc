"""Name a person everywhere, through the real paths where there are any."""

import gzip
import json
import time
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from analytics.ingestion import importing
from analytics.models import Exclusion, ExclusionRule, ForwardingState, Person, PersonMerge
from analytics.people import mail_caps
from billing.models import (
    HeldObject,
    IdempotentRequest,
    LimitException,
    Plan,
    RefusedLink,
    UsageMeter,
    UsageNotice,
)
from billing.models import UsageReservation as Reservation
from billing.stripe import loading
from growth.calculations.mail.mail_events import MailEventKind
from growth.models import Referral, ReferralCode, ReferralProgram, ReferralReward
from growth.suppression import mail_records, suppressions
from growth.suppression.mail_reports import MailReport
from operational import models
from tests import sdk
from tests.billing.stripe_shop import Shop

ID, ANON = "user-ada-5512", "device-7781-ab"
EMAIL, NAME, PHONE = "ada.lovelace@corp.example", "Ada Lovelace-Byron", "+44 20 7946 0991"
NEEDLES = [ID, ANON, EMAIL, "lovelace", "7946 0991"]
NOTE = f"Call {EMAIL} ({ID})"
TYPES = {
    "charge": "charge.succeeded",
    "checkout.session": "checkout.session.completed",
    "dispute": "charge.dispute.created",
    "refund": "refund.created",
}


def send(*events, key=None):
    body = json.dumps({"api_key": key or sdk.key(), "batch": events}).encode()
    return sdk.post("/batch/", gzip.compress(body))


def event(name="used", distinct_id=ID, **properties):
    return {"event": name, "distinct_id": distinct_id, "properties": properties}


def capture():
    """Send what the backend proves about the person, and claims of others that name it."""
    profile = {"email": EMAIL, "name": NAME, "phone": PHONE}
    owner = {"owner": {"email": EMAIL, "name": NAME}, "owner_id": ID, "seats": 5}
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": owner}
    personal = {"$group_type": "user", "$group_key": ID, "$group_set": {"name": NAME}}
    send(event("signed_up", ANON, **{"$set": {"email": EMAIL.title()}}))
    send(
        event("used"),
        event("$identify", **{"$anon_distinct_id": ANON, "$set": profile}),
        key=sdk.server_key(),
    )
    send(
        event("$identify", "ben-identified", **{"$anon_distinct_id": "ben-device"}),
        event("$create_alias", "ben-identified", alias=ID),  # refused
        event("$create_alias", alias="anonymous"),  # refused
        event("$groupidentify", "ben-identified", **group),
        event("$groupidentify", "ben-identified", **personal),
        event("invited", "ben-identified", invitee=EMAIL, **{"$set": {"invited_by": EMAIL}}),
        event("used") | {"properties": 7},  # rejected
    )
    sdk.ingest()
    broken = json.dumps({"batch": [event()]}).encode()[:-3]
    sdk.post(f"/batch/?api_key={sdk.key()}", gzip.compress(broken))
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [event() | {"event": ""}]})


def import_line(folder):
    file = folder / f"{EMAIL}.jsonl"
    valid = {"event": "used", "distinct_id": "cyd", "timestamp": "2024-05-01"}
    file.write_text("\n".join(map(json.dumps, [valid, {"event": "", "distinct_id": ID}])))
    importing.import_file(file)


def bill(stripe_account, client, staff):
    """Have the person pay, ask for a refund and dispute a payment; a guest has its address, too."""
    shop = Shop(stripe_account)
    address = {"line1": "12 Lovelace Street", "city": "London"}
    more = {"email": EMAIL, "name": NAME, "phone": PHONE, "address": address}
    customer = shop.customer(ID, description=f"Customer {NAME}", **more)
    shop.subscribes(customer, description=f"Subscription of {NAME} <{EMAIL}>")
    assert set(shop.delivered(client)) == {200}
    evidence = {"customer_email_address": EMAIL, "customer_name": NAME, "receipt": None}
    charge = {"id": "ch_7", "object": "charge", "customer": customer, "amount": 700}
    charge |= {
        "currency": "usd",
        "receipt_email": EMAIL,
        "description": NAME,
        "status": "succeeded",
    }
    refund = {"id": "re_7", "object": "refund", "charge": "ch_7", "amount": 700, "currency": "usd"}
    refund |= {"status": "succeeded", "instructions_email": EMAIL, "metadata": {"by": EMAIL}}
    dispute = {"id": "dp_7", "object": "dispute", "charge": "ch_7", "amount": 700}
    dispute |= {"currency": "usd", "status": "lost", "reason": "general", "evidence": evidence}
    session = {"id": "cs_7", "object": "checkout.session", "customer": customer, "mode": "payment"}
    session |= {"client_reference_id": ID, "customer_details": more, "success_url": f"x?{EMAIL}"}
    guest = {"id": "cs_8", "object": "checkout.session", "customer": None, "customer_email": EMAIL}
    rows = [charge, refund, dispute, session]
    rows += [stripe_event(number, row) for number, row in enumerate([*rows, guest, refund])]
    loading.load(map(json.dumps, rows))
    HeldObject.objects.create(customer_id="cus_x", stripe_id="x", field="x", reason=NOTE)
    key = {"Idempotency-Key": "portal-7"}
    portal = "/api/billing/stripe/portal-session/"
    assert staff.post(portal, {"distinct_id": ID}, format="json", headers=key).status_code == 200
    owner = User.objects.get()
    IdempotentRequest.objects.create(user=owner, key=f"portal-{ID}", fingerprint="x")
    return customer


def stripe_event(number, row):
    return {
        "id": f"evt_7{number}",
        "object": "event",
        "type": TYPES[row["object"]],
        "created": int(time.time()) + number,
        "data": {"object": row},
    }


def limit():
    meter = UsageMeter.objects.first() or UsageMeter.objects.create(slug="runs", name="Runs")
    plan, now = Plan.objects.get(is_default=True), timezone.now()
    ours = {"distinct_id_id": ID, "meter": meter}
    LimitException.objects.create(**ours, ends_on=now, reason=NOTE)
    others = {"distinct_id_id": "ben-identified", "plan": plan}
    LimitException.objects.create(**others, ends_on=now, reason=f"As {EMAIL}")
    UsageNotice.objects.create(**ours, plan=plan, period_start=now, threshold=80, used=8, limit=9)
    moments = {"period_start": now, "expires_at": now}
    Reservation.objects.create(**ours, **moments, amount=1, up_to=1, idempotency_key=f"{ID}-1")
    RefusedLink.objects.create(customer_id="cus_x", distinct_id_id=ID)
    mail_caps.claim(EMAIL, f"notice of {ID}", now=now)


def refer():
    """Let the person invite someone, and be invited; staff names them in a reason about others."""
    moments = {"paid_at": timezone.now(), "held_until": timezone.now()}
    url = "https://corp.example/signup"
    program = ReferralProgram.objects.create(slug="friends", name="Friends", signup_url=url)
    for code, inviter, invited in (("LOVELACE", ID, "cyd"), ("BEN", "ben-identified", ID)):
        own = ReferralCode.objects.create(code=code, program=program, distinct_id_id=inviter)
        referral = {"clicked_at": timezone.now(), "is_named": True, "proved": True}
        Referral.objects.create(code=own, distinct_id_id=invited, **referral)
    ReferralReward.objects.create(
        program=program, code_id="BEN", referred_id=ID, reason=NOTE, **moments
    )
    ReferralReward.objects.create(
        program=program, code_id="BEN", referred_id="cyd", reason=NOTE, **moments
    )


def mail():
    """Let a provider report a bounce and a click, and staff lift a suppression."""
    message: dict[str, Any] = {"message_id": "m1", "address": EMAIL, "at": timezone.now()}
    for kind in ("bounced", "clicked"):
        link = f"https://corp.example/{EMAIL}"
        report = MailReport("Postmark", MailEventKind(kind), **message, response=NOTE, link=link)
        mail_records.record(report, now=timezone.now())
    rows = suppressions.active_rows_of([EMAIL])
    suppressions.lift(rows, by="eve", reason=NOTE, now=timezone.now())


def report(user):
    """Fill what staff and the system write about persons."""
    now = timezone.now()
    message = {"kind": "alert", "created_at": now, "expires_at": now, "subject": NOTE, "text": NOTE}
    models.Delivery.objects.create(key=f"1-{ID}", email=EMAIL, **message)
    models.Delivery.objects.create(key="2", email="eve@corp.example", html=NOTE, **message)
    models.Report.objects.create(kind="daily", day=now, made_at=now, content={"notes": [NOTE]})
    run = models.QualityRun.objects.create(at=now)
    finding = {"verdict": "fail", "seconds": 1, "detail": NOTE, "examples": [{"text": NOTE}]}
    models.QualityResult.objects.create(run=run, check_slug="x", **finding)
    models.QualityIgnore.objects.create(check_slug="x", until=now, reason=NOTE)
    moments = {"opened_at": now, "refreshed_at": now}
    action = {"title": NOTE, "detail": NOTE, "notes": NOTE, "reason": NOTE, **moments}
    models.PriorityAction.objects.create(kind="quality", subject="x", **action)
    alert = models.Alert.objects.create(
        kind="kpi", subject="x", latest=NOTE, silence_reason=NOTE, recent=[NOTE]
    )
    models.AlertChange.objects.create(alert=alert, at=now, was="ok", status="ok", detail=NOTE)
    reading = {
        "formula_version": 1,
        "goal_version": 1,
        "recorded_at": now,
        "first_recorded_at": now,
    }
    models.KpiReading.objects.create(kpi="x", day=now, reason=NOTE, exclusions=[NOTE], **reading)
    models.KpiGoal.objects.create(kpi="x", version=9, target=1, weight=1, note=NOTE)
    models.JobRun.objects.create(task_id="x", job="x", started_at=now, problem=NOTE)
    person = ContentType.objects.get_for_model(Person)
    log = {"content_type": person, "action_flag": CHANGE, "change_message": NOTE}
    LogEntry.objects.create(user=user, object_id="1", object_repr=EMAIL, **log)
    models.LoginLimit.objects.create(kind="user", subject=EMAIL, retry_at=now)
    session = SessionStore()
    session["_messages"] = f"{EMAIL} was merged. " * 50
    session.create()
    rule = {"property_name": "email", "property_value": EMAIL}
    ExclusionRule.objects.create(name=NOTE, **rule)
    ExclusionRule.objects.create(name=f"Not {EMAIL}", email_domain="other.example")
    other = Person.objects.create(has_profile=False)
    Exclusion.objects.create(person=other, cause="rules", rule=NOTE, value=EMAIL, ended_at=now)
    ForwardingState.objects.create(pk=1, last_error=NOTE)
    before = {"other": {"properties": {"referred_by": EMAIL}}}
    persons = {"person_id": 7_001, "other_person_id": 7_002}
    ids = {"distinct_id": "zoe-1", "other_id": "zoe-2"}
    PersonMerge.objects.create(result="merged", cause="x", before=before, **persons, **ids)
