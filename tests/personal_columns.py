"""Every column that can hold a text, and what happens to it when a person is erased.

A column that a store of personal data cleans is not listed here. A new column of text, JSON or
bytes belongs to a store (`analytics.privacy.data_stores`), or here, with a reason.
"""

# Deleted or emptied with the person: `erasure.erase` or a cascade of the database.
DELETED = """
    analytics_distinctid.distinct_id analytics_event.distinct_id analytics_event.event
    analytics_mailclaim.key
    analytics_person.properties analytics_person.proved analytics_person.claimed
    analytics_person.proved_set_at
    analytics_personmerge.distinct_id analytics_personmerge.other_id
    billing_idempotentrequest.fingerprint growth_referral.code growth_referralcode.code
    growth_referralreward.code
"""

# Stripe's JSON and what dj-stripe copies from it: `gateway.anonymize`.
ANONYMIZED = """
    djstripe_charge.stripe_data djstripe_charge.metadata djstripe_customer.stripe_data
    djstripe_customer.metadata djstripe_customer.email djstripe_dispute.stripe_data
    djstripe_discount.stripe_data djstripe_discount.metadata
    djstripe_dispute.metadata djstripe_invoice.stripe_data djstripe_invoice.metadata
    djstripe_refund.stripe_data djstripe_refund.metadata djstripe_session.stripe_data
    djstripe_session.metadata djstripe_subscription.stripe_data djstripe_subscription.metadata
"""

# Names that the company's code and staff choose, and states. The events' names are theirs.
CHOSEN = """
    analytics_counter.name analytics_eventday.event analytics_eventminute.event
    analytics_exclusionrule.email_domain analytics_exclusionrule.property_name
    analytics_group.group_type analytics_projectkey.name analytics_projectkey.token
    analytics_projectkey.kind analytics_rollupdefinition.time_zone
    analytics_rollupdefinition.signup_event analytics_rollupdefinition.activation_event
    analytics_rollupdefinition.passive_events billing_fxrate.currency billing_fxrate.into
    billing_plan.slug billing_plan.name billing_plan.features billing_planprice.price_id
    billing_revenuesettings.reporting_currency billing_revenuesettings.built_currency
    billing_revenuesettings.built_time_zone billing_usagemeter.slug billing_usagemeter.name
    billing_usagemeter.event billing_usagemeter.aggregation billing_usagemeter.property
    billing_usagemeter.period operational_alertchannel.name operational_alertchannel.url
    operational_heartbeat.process operational_jobrun.job operational_jobrun.task_id
    operational_kpigoal.kpi operational_kpigoal.basis operational_kpireading.kpi
    operational_kpireading.basis operational_qualityignore.check_slug
    operational_qualityresult.check_slug operational_alert.subject
    operational_priorityaction.subject
    analytics_capturehour.outcome analytics_capturehour.reason analytics_exclusion.cause
    analytics_personmerge.result analytics_rejectedevent.reason analytics_rejectedevent.holds
    analytics_rejectedevent.outcome analytics_importrun.fingerprint analytics_importrun.file_format
    billing_heldobject.field billing_stripeevent.type billing_stripeevent.state
    billing_usagenotice.email billing_stripecustomer.proof operational_alert.kind
    operational_alert.status operational_alert.firing operational_alert.notified_severity
    operational_alertchange.was operational_alertchange.status operational_alertchange.notification
    operational_delivery.kind operational_delivery.status operational_jobrun.outcome
    operational_kpireading.status operational_priorityaction.kind operational_priorityaction.state
    operational_priorityaction.severity operational_qualityresult.verdict operational_report.kind
    operational_loginlimit.kind
    growth_referralprogram.slug growth_referralprogram.name growth_referralprogram.signup_url
    growth_referralprogram.reward growth_referralprogram.webhook_url growth_referralprogram.coupon
    growth_mailtopic.slug growth_mailtopic.name growth_mailtopic.description
    growth_mailevent.kind growth_mailevent.provider growth_suppression.reason
    growth_suppression.source growth_referralreward.milestone growth_referralreward.state
    growth_referralreward.signals
    growth_spendday.channel growth_spendday.campaign growth_spendday.currency growth_spendday.into
    growth_channelalias.alias growth_channelalias.channel
"""

# Libraries of events, from a header of the request; no part of a person's profile.
SDKS = "analytics_inboxrequest.sdk analytics_rejectedevent.sdk"

# Of staff, who have accounts here: not of the persons that are measured.
STAFF = """
    analytics_exclusion.by analytics_exclusion.ended_by analytics_exclusion.kept_by
    analytics_personmerge.cause analytics_personmerge.undone_by billing_refusedlink.refused_by
    growth_referralreward.decided_by growth_suppression.lifted_by
    operational_reportsubscriber.email operational_reportsubscriber.time_zone
"""
STAFF_TABLES = "auth_ knox_ django_otp_ otp_ operational_apitoken"

# Accounting keeps amounts by Stripe's ids: docs/privacy.md.
ACCOUNTING = """
    billing_cashentry.stripe_id billing_cashentry.customer_id billing_cashentry.kind
    billing_cashentry.currency billing_erasedcustomer.customer_id billing_heldobject.customer_id
    billing_heldobject.stripe_id billing_mrrmovement.customer_id billing_mrrmovement.kind
    billing_mrrmovement.currency billing_mrrmovement.sources billing_refusedlink.customer_id
    billing_revenuecustomer.customer_id billing_revenuecustomer.refers_to
    billing_stripecustomer.customer_id
    billing_stripeevent.event_id billing_stripeevent.object_id billing_stripeevent.customer_id
    billing_stripeevent.fingerprint billing_subscriptionstart.subscription_id
    billing_subscriptionstart.customer_id
"""

# Keyed hashes and numbers.
IMPERSONAL = """
    analytics_erasedid.hash analytics_erasedid.key analytics_erasure.removed
    growth_mailevent.identity growth_suppression.hash growth_suppression.key
    growth_referralprogram.salt analytics_identitysecret.salt analytics_lastactiveblock.minutes
    django_session.session_key django_admin_log.object_id
"""
SYSTEM_TABLES = "django_migrations django_content_type django_celery_beat_"

# Products and prices are not personal; the other tables of dj-stripe are not written to.
CATALOGUE = """
    djstripe_coupon.stripe_data djstripe_coupon.metadata djstripe_price.stripe_data
    djstripe_price.metadata djstripe_price.nickname djstripe_price.lookup_key
    djstripe_product.stripe_data djstripe_product.metadata djstripe_product.name
    djstripe_charge.currency djstripe_charge.status djstripe_price.currency djstripe_refund.currency
    djstripe_discount.promotion_code
"""
UNUSED_TABLES = " ".join(
    f"djstripe_{table}"
    for table in """
        account activeentitlement apikey applicationfee balancetransaction bankaccount card
        countryspec djstripepaymentmethod earlyfraudwarning event feature file
        idempotencykey invoiceitem issuing_ lineitem mandate payment payout productfeature
        promotioncode review scheduledqueryrun setupintent shippingrate source
        subscriptionitem subscriptionschedule taxcode taxid taxrate transfer upcominginvoice
        verification webhook
    """.split()
)
# Stripe's ids, in dj-stripe's tables.
STRIPE_IDS = frozenset(
    "id"
    " balance_transaction_id charge_id customer_id default_payment_method_id"
    " djstripe_owner_account_id failure_balance_transaction_id invoice_id payment_intent_id"
    " payment_method_id product_id setup_intent_id source_id subscription_id".split()
)

CLASSIFIED = [DELETED, ANONYMIZED, CHOSEN, SDKS, STAFF, ACCOUNTING, IMPERSONAL, CATALOGUE]
