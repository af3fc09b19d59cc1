"""Which secret opens which function, and where it is carried."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from egac.models import SecretUse
from egac.tokens import Token, issue
from jobs.callers import caller_of
from jobs.registry import FUNCTIONS, JOBS
from jobs.triggers import Refused
from tests.jobs.calling import CRON, SECRETS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_secret")]

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
ZOOM, QUEUE, BILLS = "schedule_create_zoom", "run_worker_queue", "generate_t5_invoices"
ALL = [job.name for job in dict.fromkeys(FUNCTIONS.values())]


def ask(job: str, token: str = "", **headers: str) -> str:
    if token:
        headers["authorization"] = f"Bearer {token}"
    return caller_of(RequestFactory().post("/", headers=headers), JOBS[job], now=NOW)


def refusal_of(job: str, token: str = "", **headers: str) -> Refused:
    with pytest.raises(Refused) as refused:
        ask(job, token, **headers)
    return refused.value


def issued(job: str, *, minutes: int) -> str:
    return issue(Token(job, NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("job", ALL)
@pytest.mark.parametrize(
    "name",
    ["CRON_SECRET", "CRON_SECRET_PREVIOUS", "SERVICE_ROLE_KEY", "SERVICE_ROLE_KEY_PREVIOUS"],
)
def test_two_secrets_and_those_they_replace_open_every_function(name: str, job: str) -> None:
    assert ask(job, str(SECRETS[name])) == name


@pytest.mark.parametrize(
    ("job", "token", "name"),
    [
        (ZOOM, "a-scheduler-token", "SCHEDULER_SECRET_TOKEN"),
        (ZOOM, "the-scheduler-token-before-it", "SCHEDULER_SECRET_TOKEN_PREVIOUS"),
        (QUEUE, "a-worker-token-of-its-own", "JOB_TOKENS: run_worker_queue"),
        (QUEUE, "the-worker-token-before-it", "JOB_TOKENS: run_worker_queue (second)"),
        (BILLS, "a-token-for-the-nightly-bills", "JOB_TOKENS: generate-t5-invoices"),
        (QUEUE, issued(QUEUE, minutes=1), "issued token: run_worker_queue"),
    ],
)
def test_a_token_opens_its_own_job_and_no_other(job: str, token: str, name: str) -> None:
    assert ask(job, token) == name

    for other in set(ALL) - {job}:
        refused = refusal_of(other, token)
        assert (refused.status, str(refused)) == (403, f"This secret opens {job}, not {other}.")


def test_cron_may_use_its_own_header() -> None:
    assert ask(QUEUE, **{"x-cron-secret": CRON}) == "CRON_SECRET"


@pytest.mark.parametrize("value", ["a-scheduler-token", "Bearer a-scheduler-token"])
@pytest.mark.parametrize("header", ["x-scheduler-token", "Authorization"])
def test_the_scheduler_may_use_a_header_of_its_choice(
    settings: Settings, header: str, value: str
) -> None:
    settings.SCHEDULER_SECRET_HEADER = header

    assert ask(ZOOM, **{header: value}) == "SCHEDULER_SECRET_TOKEN"


@pytest.mark.parametrize(
    "headers",
    [
        {"apikey": "a-service-role-key"},
        {"x-cron-secret": "a-service-role-key"},
        {"x-scheduler-token": "a-scheduler-token"},  # no setting names this header
        {"cookie": f"secret={CRON}"},
        {"authorization": CRON},
        {"authorization": f"Basic {CRON}"},
        {"authorization": "Bearer"},
    ],
)
def test_a_secret_in_a_place_that_is_not_its_own_opens_nothing(headers: dict[str, str]) -> None:
    assert refusal_of(ZOOM, **headers).status == 401


def test_an_apikey_header_beside_the_secret_is_ignored() -> None:
    assert ask(QUEUE, "a-service-role-key", apikey="anything") == "SERVICE_ROLE_KEY"


def test_a_secret_in_the_query_opens_no_function() -> None:
    request = RequestFactory().post(f"/?secret={CRON}")

    with pytest.raises(Refused) as refused:
        caller_of(request, JOBS[QUEUE], now=NOW)

    assert refused.value.status == 401


@pytest.mark.parametrize("minutes", [0, -1, -1000])
def test_an_issued_token_ends(minutes: int) -> None:
    refused = refusal_of(QUEUE, issued(QUEUE, minutes=minutes))

    assert refused.status == 401
    assert "expired at 2026-1" in str(refused)


def test_a_right_secret_counts_beside_an_expired_token() -> None:
    token = issued(QUEUE, minutes=-1)

    assert ask(QUEUE, token, **{"x-cron-secret": CRON}) == "CRON_SECRET"


def test_a_previous_secret_opens_nothing_by_itself(settings: Settings) -> None:
    settings.CRON_SECRET = ""

    assert refusal_of(QUEUE, "the-secret-before-it").status == 401


@pytest.mark.parametrize("token", ["", "wrong", "None", "a-scheduler-token"])
def test_unset_secrets_close_the_door(settings: Settings, token: str) -> None:
    for name in SECRETS:
        setattr(settings, name, {} if name == "JOB_TOKENS" else "")

    refused = refusal_of(QUEUE, token)

    assert refused.status == 503
    assert str(refused) == "No secret that opens run_worker_queue is set on this site."


def test_an_issued_token_needs_no_secret_that_is_set(settings: Settings) -> None:
    settings.CRON_SECRET = settings.SERVICE_ROLE_KEY = ""
    settings.JOB_TOKENS = {}

    assert ask(QUEUE, issued(QUEUE, minutes=1)) == "issued token: run_worker_queue"


def test_notes_which_secret_was_used_and_not_one_that_was_refused() -> None:
    ask(QUEUE, CRON)
    refusal_of(QUEUE, "a-scheduler-token")

    assert [use.name for use in SecretUse.objects.all()] == ["CRON_SECRET"]


def test_wrong_secrets_are_slowed_down_per_address_and_a_right_one_never_is() -> None:
    statuses = [refusal_of(QUEUE, f"wrong {n}").status for n in range(200)]
    refused = refusal_of(QUEUE, "wrong")

    assert statuses == [401] * 20 + [429] * 180
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert ask(QUEUE, CRON) == "CRON_SECRET"


def test_another_address_is_not_slowed_down(settings: Settings) -> None:
    for _ in range(50):
        refusal_of(QUEUE, "wrong")

    request = RequestFactory(REMOTE_ADDR="203.0.113.9").post("/", headers={"x-cron-secret": "x"})
    with pytest.raises(Refused) as refused:
        caller_of(request, JOBS[QUEUE], now=NOW)

    assert refused.value.status == 401


def test_neither_no_secret_nor_another_jobs_is_a_wrong_one() -> None:
    for _ in range(50):
        refusal_of(QUEUE)
        refusal_of(QUEUE, "a-scheduler-token")

    assert refusal_of(QUEUE, "wrong").status == 401
