"""Logging in with a password, and with codes of a second factor."""

import re

from django.test import Client
from django_otp.oath import TOTP

PASSWORD = "right horse battery staple"
DASHBOARD, PAGE = "/admin/operational/", "/admin/second-factor/"
API = "/api/operational/alignment-score"


def with_password(username="ada"):
    browser = Client()
    browser.post("/admin/login/", {"username": username, "password": PASSWORD})
    return browser


def code_of(device):
    return f"{TOTP(device.bin_key).token():06}"


def send_code(client, code, **data):
    return client.post(f"{PAGE}verify/", {"code": code} | data)


def opens(client, path=DASHBOARD):
    return client.get(path).status_code == 200


def recovery_codes(page):
    return re.findall(r"<li><code>([a-z2-7-]+)</code>", page.content.decode())
