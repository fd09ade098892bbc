"""The configuration of the customer portal, with its page to log in."""

import pytest
import requests
import stripe

pytestmark = pytest.mark.usefixtures("fake_stripe")


def test_the_default_configuration_has_a_page_to_log_in():
    [configuration] = stripe.billing_portal.Configuration.list(is_default=True, active=True).data
    assert configuration.login_page.enabled
    assert "Log in" in requests.get(str(configuration.login_page.url), timeout=10).text


def test_no_configuration_is_inactive():
    assert stripe.billing_portal.Configuration.list(active=False).data == []
