"""What notifications does about each thing it hears, and at each time it has set itself."""

from services.notifications.handlers.addresses import (
    close,
    forget_client,
    keep_contact,
    keep_therapist_contact,
    signpost,
    withdraw,
)
from services.notifications.handlers.alerts import (
    escalate_alert,
    raise_alert,
    record_alert_failed,
    record_alert_sent,
    shout,
)
from services.notifications.handlers.bounces import read_bounces, read_bounces_later, record_bounces
from services.notifications.handlers.clients import (
    ask_for_form,
    tell_client_of_match,
    tell_client_of_subsidy,
    tell_client_of_subsidy_wait,
)
from services.notifications.handlers.delivery import (
    deliver,
    keep_mail,
    lock_ahead,
    read_ahead,
    record_failed,
    record_sent,
)
from services.notifications.handlers.digests import record_digest, record_digest_failed, send_digest
from services.notifications.handlers.privacy import forget
from services.notifications.handlers.restored import forget_again
from services.notifications.handlers.rota import look_at_rota
from services.notifications.handlers.staff import (
    tell_office_of_overdue_assessment,
    tell_office_of_overdue_erasure,
    tell_office_of_stall,
)
from services.notifications.handlers.therapists import (
    send_offer,
    send_receipt,
    take_offer_back,
    tell_of_credit,
    tell_of_lapse,
    tell_of_membership,
    tell_of_referral_fee,
    tell_of_reinstatement,
    tell_of_renewal,
    tell_of_suspension,
)

__all__ = [
    "ask_for_form",
    "close",
    "deliver",
    "escalate_alert",
    "forget",
    "forget_again",
    "forget_client",
    "keep_contact",
    "keep_mail",
    "keep_therapist_contact",
    "lock_ahead",
    "look_at_rota",
    "raise_alert",
    "read_ahead",
    "read_bounces",
    "read_bounces_later",
    "record_alert_failed",
    "record_alert_sent",
    "record_bounces",
    "record_digest",
    "record_digest_failed",
    "record_failed",
    "record_sent",
    "send_digest",
    "send_offer",
    "send_receipt",
    "shout",
    "signpost",
    "take_offer_back",
    "tell_client_of_match",
    "tell_client_of_subsidy",
    "tell_client_of_subsidy_wait",
    "tell_of_credit",
    "tell_of_lapse",
    "tell_of_membership",
    "tell_of_referral_fee",
    "tell_of_reinstatement",
    "tell_of_renewal",
    "tell_of_suspension",
    "tell_office_of_overdue_assessment",
    "tell_office_of_overdue_erasure",
    "tell_office_of_stall",
    "withdraw",
]
