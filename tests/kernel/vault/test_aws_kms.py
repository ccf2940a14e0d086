"""Master keys in AWS KMS: what is wrapped opens with its key in its place alone, and refusals say what to do."""

from __future__ import annotations

import sys

import pytest
from boto3.session import Session

from quarterdeck.kernel.errors import Conflict, Invalid, Problem, Unavailable
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.aws_kms import AwsKmsBackend, Key
from quarterdeck.kernel.vault.backend import Wrapped
from support.kms import SESSION, kms

PLAIN, BOUND = bytes(range(32)), b"quarterdeck data key one"
HIDDEN = "hidden-secret-key"


@pytest.fixture(scope="module")
def shared():
    with kms() as found:
        yield found


@pytest.fixture
def aws(shared, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("boto3.session.Session", lambda: SESSION)
    shared.calls.clear()
    shared.refusing.clear()
    yield shared
    assert shared.unknown == []


def backend(aws, key: str, *, opened: bool = True, url: str | None = None) -> AwsKmsBackend:
    place = Key(key, "eu-central-1", url or aws.url, Secret("AKIAHIDDEN"), Secret(HIDDEN))
    made = AwsKmsBackend(place)
    if opened:
        made.open(create=False)
    return made


def refusal(kind: type[Problem], call, *given, **named) -> Problem:
    with pytest.raises(kind) as raised:
        call(*given, **named)
    told = f"{raised.value.message}{raised.value.hint}{raised.value.details}"
    assert not any(word in told for word in ("AKIA", HIDDEN, "told-by-aws"))
    assert raised.value.hint
    assert raised.value.__cause__ is None
    return raised.value


def test_a_data_key_opens_with_its_key_in_its_place_alone(aws) -> None:
    arn = aws.key()
    made = backend(aws, arn)
    wrapped = made.wrap(PLAIN, BOUND)
    assert wrapped.master_key_id == made.current == arn.rpartition("/")[2]
    assert backend(aws, wrapped.master_key_id).unwrap(wrapped, BOUND) == PLAIN
    with pytest.raises(ValueError, match="altered"):
        made.unwrap(wrapped, b"quarterdeck data key two")


def test_an_alias_is_resolved_and_what_its_key_of_before_wrapped_still_opens(aws) -> None:
    first, second = aws.key(), aws.key()
    aws.owner().create_alias(AliasName="alias/deck", TargetKeyId=first)
    made = backend(aws, "alias/deck")
    wrapped = made.wrap(PLAIN, BOUND)
    aws.owner().update_alias(AliasName="alias/deck", TargetKeyId=second)
    assert made.stage() == second.rpartition("/")[2]
    assert made.wrap(PLAIN, BOUND).master_key_id == second.rpartition("/")[2]
    assert made.unwrap(wrapped, BOUND) == PLAIN
    assert made.retire() == []
    assert made.unwrap(wrapped, BOUND) == PLAIN
    aws.owner().delete_alias(AliasName="alias/deck")


def test_what_was_altered_does_not_open(aws) -> None:
    arn, other = aws.key(), aws.key()
    made = backend(aws, arn)
    wrapped = made.wrap(PLAIN, BOUND)
    _, _, blob = wrapped.text.partition(" ")
    flipped = "A" if blob[60] != "A" else "B"
    texts = [f"{arn} {blob[:60]}{flipped}{blob[61:]}", f"{arn} {blob[:40]}", f"{arn} ", arn, f"{arn} !", blob, ""]
    texts.append(f"arn:aws:kms:eu-central-1:123456789012:alias/x {blob}")
    for text in texts:
        with pytest.raises(ValueError, match="altered"):
            made.unwrap(Wrapped(wrapped.master_key_id, text), BOUND)
    with pytest.raises(ValueError, match="altered"):
        made.unwrap(Wrapped(other.rpartition("/")[2], wrapped.text), BOUND)
    moved = Wrapped(other.rpartition("/")[2], f"{other} {blob}")
    aws.refusing["Decrypt"] = (400, "IncorrectKeyException")  # as AWS says it, which moto does not
    with pytest.raises(ValueError, match="altered"):
        made.unwrap(moved, BOUND)


@pytest.mark.parametrize("given", [{"KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048"}, {"KeySpec": "RSA_2048"}])
def test_a_key_that_is_not_symmetric_is_refused(aws, given) -> None:
    arn = aws.key(**given)
    assert refusal(Conflict, backend(aws, arn, opened=False).open, create=True).code == "key_backend_key_unsuitable"


def test_a_key_that_is_disabled_or_not_there_is_refused(aws) -> None:
    arn = aws.key()
    aws.owner().disable_key(KeyId=arn.rpartition("/")[2])
    assert "Disabled" in refusal(Conflict, backend(aws, arn, opened=False).open, create=True).message
    none = backend(aws, "alias/none", opened=False)
    assert refusal(Conflict, none.open, create=True).code == "key_backend_key_missing"


@pytest.mark.parametrize(
    ("status", "said", "kind", "code"),
    [
        (400, "AccessDeniedException", Conflict, "key_backend_refused"),
        (400, "UnrecognizedClientException", Conflict, "key_backend_refused"),
        (400, "ExpiredTokenException", Conflict, "key_backend_refused"),
        (400, "DisabledException", Conflict, "key_backend_key_unsuitable"),
        (400, "KMSInvalidStateException", Conflict, "key_backend_key_unsuitable"),
        (400, "NotFoundException", Conflict, "key_backend_key_missing"),
        (400, "CustomKeyStoreInvalidStateException", Unavailable, "key_backend_unavailable"),
    ],
)
def test_what_aws_says_becomes_a_refusal_that_says_what_to_do(aws, status, said, kind, code) -> None:
    made = backend(aws, aws.key())
    wrapped = made.wrap(PLAIN, BOUND)
    aws.refusing |= dict.fromkeys(("DescribeKey", "Encrypt", "Decrypt"), (status, said))
    assert refusal(kind, made.open, create=False).code == code
    assert refusal(kind, made.wrap, PLAIN, BOUND).code == code
    assert refusal(kind, made.unwrap, wrapped, BOUND).code == code


def test_nobody_who_answers_is_away(aws) -> None:
    made = backend(aws, "alias/deck", opened=False, url="http://127.0.0.1:9")
    assert refusal(Unavailable, made.open, create=True).code == "key_backend_unavailable"


def test_without_credentials_it_says_where_they_belong(aws, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("boto3.session.Session", Session)
    made = AwsKmsBackend(Key("alias/deck", "eu-central-1", aws.url))
    told = refusal(Conflict, made.open, create=False)
    assert (told.code, "aws_kms_access_key" in (told.hint or "")) == ("key_backend_refused", True)


def test_addresses_of_the_environment_are_not_believed(aws, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    made = AwsKmsBackend(Key("alias/deck", "eu-central-1", None, Secret("AKIAHIDDEN"), Secret(HIDDEN)))
    made._client = made._make()
    assert made._client.meta.endpoint_url == "https://kms.eu-central-1.amazonaws.com"


def test_without_the_library_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    told = refusal(Invalid, AwsKmsBackend, Key("alias/deck", "eu-central-1"))
    assert (told.code, "quarterdeck[aws]" in (told.hint or "")) == ("settings_invalid", True)
