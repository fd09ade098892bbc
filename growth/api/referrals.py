"""POST /api/growth/referrals/; GET and POST /api/growth/referrals/codes/."""

from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.records import MAX_NAME
from analytics.people import proving
from billing.api.fields import TextField
from common.api.endpoint import Endpoint
from growth.calculations.referral import LONGEST_CODE, normalized
from growth.models import ReferralCode, ReferralProgram
from growth.referrals import codes, naming
from growth.referrals.codes import CodeTaken, NoPerson, NoProgram


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class CodeField(TextField):
    """A code, as it is stored."""

    def to_internal_value(self, data: Any) -> str:
        code = normalized(super().to_internal_value(data))
        if not code:
            raise serializers.ValidationError(
                f"must be 3 to {LONGEST_CODE} letters, digits, hyphens or underscores"
            )
        return code


class CodeQuery(serializers.Serializer):
    distinct_id = TextField(max_length=MAX_NAME, help_text="Any distinct id of the inviter.")
    program = serializers.SlugField(
        required=False, default="", help_text="By default the oldest program."
    )


class CodeBody(CodeQuery):
    code = CodeField(required=False, default="", help_text="By default a random one.")


class OwnIdField(TextField):
    """A distinct id that can be of a single person."""

    def to_internal_value(self, data: Any) -> str:
        distinct_id = super().to_internal_value(data)
        if is_illegal(distinct_id):
            raise serializers.ValidationError("is a placeholder, which names no one")
        return distinct_id


class ReferralBody(serializers.Serializer):
    distinct_id = OwnIdField(max_length=MAX_NAME, help_text="The person who was invited.")
    code = CodeField(help_text="The inviter's code.")


class CodeSerializer(serializers.Serializer):
    code = serializers.CharField(source="pk")
    link = serializers.SerializerMethodField(help_text="The sign-up page with the code.")
    program = serializers.CharField(source="program.slug")
    distinct_id = serializers.CharField(source="distinct_id_id")
    created_at = serializers.DateTimeField()

    def get_link(self, code: ReferralCode) -> str:
        return codes.link_of(code)


class CodesView(Endpoint):
    """The referral code of a person, and the link with it."""

    required_permission = {
        "GET": "growth.view_referralcode",
        "POST": "growth.add_referralcode",
    }
    query_class = {"GET": CodeQuery}
    body_class = {"POST": CodeBody}
    refusals = [HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT]

    @extend_schema(operation_id="growth_referral_code", responses=CodeSerializer)
    def get(self, _request: Request) -> Response:
        proving.prove(self.query["distinct_id"])
        code = codes.code_of(self.query["distinct_id"], _program(self.query["program"]))
        if code is None:
            raise Http404("This person has no code. POST creates it.")
        return Response(CodeSerializer(code).data)

    @extend_schema(
        operation_id="growth_create_referral_code",
        responses={200: CodeSerializer, 201: CodeSerializer},
    )
    def post(self, _request: Request) -> Response:
        """Return the person's code, after creating it if there was none."""
        offer = _program(self.body["program"])
        proving.prove(self.body["distinct_id"])
        try:
            code, is_new = codes.get_or_create(
                self.body["distinct_id"], offer, code=self.body["code"]
            )
        except NoPerson as error:
            raise Http404(str(error)) from error
        except CodeTaken as error:
            raise Conflict(str(error)) from error
        created = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(CodeSerializer(code).data, status=created)


class ReferralsView(Endpoint):
    """Say who was invited with a code: proved, as it comes from your backend."""

    required_permission = "growth.add_referral"
    body_class = ReferralBody
    refusals = [HTTPStatus.NOT_FOUND]

    @extend_schema(operation_id="growth_refer", responses={202: None}, request=ReferralBody)
    def post(self, _request: Request) -> Response:
        """Accepted: whether it counts is decided by the rules of referrals within a minute."""
        try:
            naming.name_code(**self.body, now=timezone.now())
        except naming.NoCode as error:
            raise Http404(str(error)) from error
        return Response(status=status.HTTP_202_ACCEPTED)


def _program(slug: str) -> ReferralProgram:
    try:
        return codes.program(slug)
    except NoProgram as error:
        raise Http404(str(error)) from error
