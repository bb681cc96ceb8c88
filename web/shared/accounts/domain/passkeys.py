"""Passkeys (WebAuthn): what the browser is asked, and whether its answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)


@dataclass(frozen=True)
class Asked:
    """What the browser is asked, as JSON, and the challenge that its answer must contain."""

    options: str
    challenge: bytes


@dataclass(frozen=True)
class NewKey:
    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class RelyingParty:
    """Us, as a browser sees us: an origin such as `https://staff.example.org`, whose host name keys are bound to."""

    origin: str
    name: str

    @property
    def id(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def ask_for_new(self, account_id: UUID, *, email: str, name: str, known: Sequence[bytes]) -> Asked:
        """For a device that none of the `known` keys is on."""
        options = generate_registration_options(
            rp_id=self.id,
            rp_name=self.name,
            user_id=account_id.bytes,
            user_name=email,
            user_display_name=name,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=key) for key in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
        )
        return Asked(options_to_json(options), options.challenge)

    def new_key(self, answer: str, challenge: bytes) -> NewKey | None:
        """The key that a browser made; None if its answer isn't right."""
        try:
            verified = verify_registration_response(
                credential=answer, expected_challenge=challenge, expected_rp_id=self.id, expected_origin=self.origin
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):  # the library parses what anybody may have sent
            return None
        return NewKey(verified.credential_id, verified.credential_public_key, verified.sign_count)

    def ask_for_known(self, known: Sequence[bytes]) -> Asked:
        options = generate_authentication_options(
            rp_id=self.id,
            allow_credentials=[PublicKeyCredentialDescriptor(id=key) for key in known],
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return Asked(options_to_json(options), options.challenge)

    def sign_count(self, answer: str, challenge: bytes, *, public_key: bytes, last: int) -> int | None:
        """The key's new count of signatures; None if the answer isn't right, or the count shows that the key was
        copied."""
        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=last,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return verified.new_sign_count
