"""Sealing, encryption at rest, and logs that keep quiet."""

from __future__ import annotations

import base64
import io
import json
import logging
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy.orm import Session

from chassis.observability import logs
from chassis.privacy.sealing import ALGORITHM, ENCRYPTION, Keyring, NoKey, Unopenable, make_keys
from chassis.privacy.vault import Erased, Vault, WrongMasterKey, new_master_key
from chassis.store.engine import open_engine
from chassis.store.tables import data_key_table, new_metadata
from contracts.sealed import Credentials, SafeContact
from contracts.shape import InvalidShape
from tests.chassis.conftest import START
from tests.support.samples import submission

SECRET = Credentials(reference="9C28-SAU2-5", passphrase="harbour lantern quiet meadow")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for reader in ("intake", "notifications"):
        make_keys(tmp_path, reader)
    return tmp_path


def test_only_the_reader_opens_what_was_sealed_to_it(keys: Path) -> None:
    sealed = Keyring(keys).seal("intake", SECRET)
    assert "harbour" not in sealed
    assert Keyring(keys, "intake").open(Credentials, sealed) == SECRET
    with pytest.raises(Unopenable):
        Keyring(keys, "notifications").open(Credentials, sealed)


def test_what_was_sealed_before_a_new_key_can_still_be_opened(keys: Path) -> None:
    sealed = Keyring(keys).seal("intake", SECRET)
    make_keys(keys, "intake")
    reader = Keyring(keys, "intake")
    assert reader.open(Credentials, sealed) == reader.open(Credentials, Keyring(keys).seal("intake", SECRET))


@given(damage=st.integers(min_value=0, max_value=400))
@example(damage=158)
def test_whatever_was_altered_on_the_way_is_not_opened(damage: int, keys_once: Path) -> None:
    sealed = Keyring(keys_once).seal("intake", SECRET)
    place = damage % (len(sealed) - 2)
    altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    reader = Keyring(keys_once, "intake")
    try:
        opened = reader.open(Credentials, altered)
    except (Unopenable, InvalidShape):
        return
    assert opened == SECRET, "only padding bits of the encoding may differ unseen"


@pytest.fixture(scope="module")
def keys_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder, "intake")
    return folder


@pytest.mark.parametrize(
    "header", [{}, {"epk": 1}, {"epk": {"kty": "EC", "crv": "P-1"}}, {"zip": "x"}, {"alg": "none"}, []]
)
def test_a_header_that_makes_no_sense_is_not_opened(keys: Path, header: object) -> None:
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    rest = Keyring(keys).seal("intake", SECRET).split(".")[1:]
    with pytest.raises(Unopenable):
        Keyring(keys, "intake").open(Credentials, ".".join([first, *rest]))


def test_another_shape_inside_is_refused_by_name(keys: Path) -> None:
    sealed = Keyring(keys).seal("intake", SECRET)
    with pytest.raises(InvalidShape, match="channel: Missing data"):
        Keyring(keys, "intake").open(SafeContact, sealed)


def sealed_bytes(keys: Path, content: bytes, **header: str) -> str:
    """Anything at all, sealed to intake as any other program might."""
    key = ECKey.import_key(json.loads((keys / "intake.public.json").read_text()))
    algorithms = [ALGORITHM, ENCRYPTION, "DEF"]
    return jwe.encrypt_compact({"alg": ALGORITHM, "enc": ENCRYPTION, **header}, content, key, algorithms=algorithms)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"\xff\xfe",
        b"[" * 20_000 + b"]" * 20_000,
        b'{"reference": ' * 2_000 + b"1" + b"}" * 2_000,
        b'{"passphrase": %s}' % (b"9" * 10_000),
        b'{"reference": NaN, "passphrase": Infinity}',
        rb'{"reference": "9C28-SAU2-5", "passphrase": "harbour lantern \ud83d"}',
        b'{"reference": "9C28-SAU2-5", "passphrase": "harbour lantern \xed\xa0\xbd"}',
        rb'{"reference": "9C28-SAU2-5", "passphrase": "harbour \u0000 lantern"}',
    ],
    ids=lambda content: content[:32].decode("ascii", "backslashreplace"),
)
def test_whatever_lies_inside_is_read_or_refused_as_invalid(keys_once: Path, content: bytes) -> None:
    with pytest.raises(InvalidShape):
        Keyring(keys_once, "intake").open(Credentials, sealed_bytes(keys_once, content))


def test_half_a_character_inside_is_refused_by_its_field(keys_once: Path) -> None:
    content = rb'{"reference": "9C28-SAU2-5", "passphrase": "harbour lantern \ud83d"}'
    with pytest.raises(InvalidShape, match="passphrase: Holds half a character"):
        Keyring(keys_once, "intake").open(Credentials, sealed_bytes(keys_once, content))


def test_what_is_compressed_is_never_unpacked(keys_once: Path) -> None:
    bomb = sealed_bytes(keys_once, b" " * 200_000 + SECRET.encode(), zip="DEF")
    assert len(bomb) < 2_000
    with pytest.raises(Unopenable):
        Keyring(keys_once, "intake").open(Credentials, bomb)


def test_what_is_longer_than_a_message_may_be_is_not_opened(keys_once: Path) -> None:
    with pytest.raises(Unopenable):
        Keyring(keys_once, "intake").open(Credentials, sealed_bytes(keys_once, SECRET.encode() + b" " * 100_000))


@pytest.mark.parametrize("sealed", ["", "....", "\ud83d", "\x00", "a.b.c.d.e", "." * 60_000], ids=ascii)
def test_what_is_no_jwe_at_all_is_not_opened(keys_once: Path, sealed: str) -> None:
    with pytest.raises(Unopenable):
        Keyring(keys_once, "intake").open(Credentials, sealed)


def test_a_missing_key_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NoKey, match=r"intake\.public\.json is missing"):
        Keyring(tmp_path).seal("intake", SECRET)


def test_private_keys_are_for_their_owner_alone(keys: Path) -> None:
    assert (keys / "intake.private.json").stat().st_mode & 0o077 == 0
    assert "d" not in json.loads((keys / "intake.public.json").read_text())


@pytest.fixture
def session() -> Session:
    engine = open_engine("sqlite://")
    METADATA.create_all(engine)
    return Session(engine)


METADATA = new_metadata()
DATA_KEYS = data_key_table(METADATA)


def test_a_person_is_read_with_their_own_key(session: Session) -> None:
    vault, person = Vault(DATA_KEYS, new_master_key()), uuid4()
    stored = vault.encrypt(session, person, SECRET, at=START)
    assert b"harbour" not in stored
    assert vault.decrypt(session, person, Credentials, stored) == SECRET


def test_what_was_kept_before_text_was_checked_still_opens(session: Session) -> None:
    vault, person = Vault(DATA_KEYS, new_master_key()), uuid4()
    kept_before = Older(reference="9C28-SAU2-5", passphrase="\u202dharbour\u202c lantern\x1b")
    stored = vault.encrypt(session, person, kept_before, at=START)
    assert vault.decrypt(session, person, Credentials, stored).passphrase == "harbour lantern"


class Older(Credentials):
    """Credentials as they were written when any text went."""

    def encode(self) -> bytes:
        return json.dumps(self.to_json()).encode()


def test_one_person_cannot_be_read_as_another(session: Session) -> None:
    vault, person, other = Vault(DATA_KEYS, new_master_key()), uuid4(), uuid4()
    stored = vault.encrypt(session, person, SECRET, at=START)
    vault.encrypt(session, other, SECRET, at=START)
    with pytest.raises(WrongMasterKey):
        vault.decrypt(session, other, Credentials, stored)


def test_an_erased_person_is_gone_and_others_are_not(session: Session) -> None:
    vault, person, other = Vault(DATA_KEYS, new_master_key()), uuid4(), uuid4()
    stored = [vault.encrypt(session, one, SECRET, at=START) for one in (person, other)]
    vault.destroy(session, person, at=START)
    with pytest.raises(Erased):
        vault.decrypt(session, person, Credentials, stored[0])
    assert vault.decrypt(session, other, Credentials, stored[1]) == SECRET


@pytest.mark.parametrize("known", [True, False], ids=["known", "never heard of"])
def test_nothing_is_ever_kept_again_of_an_erased_person(session: Session, known: bool) -> None:
    vault, person = Vault(DATA_KEYS, new_master_key()), uuid4()
    if known:
        vault.encrypt(session, person, SECRET, at=START)
    vault.destroy(session, person, at=START)
    with pytest.raises(Erased):
        vault.encrypt(session, person, SECRET, at=START)


def test_another_master_key_opens_nothing(session: Session) -> None:
    person = uuid4()
    stored = Vault(DATA_KEYS, new_master_key()).encrypt(session, person, SECRET, at=START)
    with pytest.raises(WrongMasterKey):
        Vault(DATA_KEYS, new_master_key()).decrypt(session, person, Credentials, stored)


def test_a_master_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(DATA_KEYS, "c2hvcnQ=")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = logging.getLogger().handlers[:]
    logs.configure("intake", "INFO")
    yield stream  # type: ignore[misc]
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


def test_what_does_not_look_like_an_identifier_is_withheld_from_the_log(log: io.StringIO) -> None:
    id_ = uuid4()
    form = submission()
    structlog.get_logger("x").info("noted", referral_id=id_, name=form.name, mail="robin example", count=3, form=form)
    written = json.loads(log.getvalue())
    assert (written["event"], written["referral_id"], written["count"]) == ("noted", str(id_), 3)
    assert (written["name"], written["mail"], written["form"]) == ("<withheld>", "<withheld>", "<withheld>")
    assert "Robin" not in log.getvalue()


def test_a_librarys_log_is_written_without_the_values_that_were_put_into_it(log: io.StringIO) -> None:
    logging.getLogger("library").warning("could not write to %s", "robin@example.org")
    assert "robin" not in log.getvalue()
    assert "could not write to %s" in log.getvalue()


def test_an_errors_own_words_stay_out_of_the_log(log: io.StringIO) -> None:
    try:
        raise ValueError("Robin Example")
    except ValueError:
        logging.getLogger("library").exception("failed")
    assert "Robin" not in log.getvalue()
    assert json.loads(log.getvalue())["error"] == "ValueError"
