"""How often: guessing is slowed, nobody is locked out by somebody else, and the page says when."""

import pytest
from django.core.cache import cache
from django.test import Client

from members import limits
from tests.balint.installation import install
from tests.members.signed_in import sign_in
from tests.world import PASSWORD, Circle, make_member


@pytest.fixture
def member(db):
    return make_member("Dr Dana Green")


def machine(number: int, **more) -> Client:
    """A browser somewhere else."""
    return Client(REMOTE_ADDR=f"203.0.113.{number}", **more)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused(answer) -> bool:
    return "Too many" in answer.content.decode()


def test_five_wrong_passwords_and_then_not_even_the_right_one(member):
    client = machine(1)
    tries = [refused(sign_in(client, member, f"a wrong word {n}")) for n in range(6)]
    assert tries == [False] * 5 + [True]
    assert refused(sign_in(client, member, PASSWORD))
    assert not is_in(client)


def test_many_machines_guess_in_vain_and_the_person_still_gets_in(member):
    for number in range(1, 21):
        client = machine(number)
        tries = [sign_in(client, member, f"guess {number} {n}") for n in range(7)]
        assert [refused(one) for one in tries] == [False] * 5 + [True] * 2
        assert not is_in(client)
    own = machine(200)
    sign_in(own, member, PASSWORD)
    assert is_in(own)


def test_over_all_machines_there_is_an_end_but_not_for_one_known_before(member, monkeypatch):
    monkeypatch.setitem(limits.RATES, "sign_in_address", "20/d/key")
    known, new = machine(200), machine(201)
    sign_in(known, member, PASSWORD)
    known.post("/accounts/logout/")
    for number in range(1, 6):
        for n in range(5):
            sign_in(machine(number), member, f"guess {n}")
    assert refused(sign_in(new, member, PASSWORD))
    sign_in(known, member, PASSWORD)
    assert (is_in(known), is_in(new)) == (True, False)
    # A passkey is no password, and cannot be guessed.
    options = new.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"})
    assert "challenge" in str(options.json())


def test_of_a_long_address_the_network_is_known(member, monkeypatch):
    monkeypatch.setitem(limits.RATES, "sign_in_address", "5/d/key")
    sign_in(Client(REMOTE_ADDR="2001:db8:1:2::5"), member, PASSWORD)
    for n in range(5):
        sign_in(machine(1), member, f"guess {n}")
    near, far = Client(REMOTE_ADDR="2001:db8:1:2:9::9"), Client(REMOTE_ADDR="2001:db8:1:3::5")
    for client in (near, far):
        sign_in(client, member, PASSWORD)
    assert (is_in(near), is_in(far)) == (True, False)


def test_the_right_password_is_not_counted(member):
    for _ in range(12):
        client = machine(1)
        sign_in(client, member, PASSWORD)
        assert is_in(client)


def test_one_machine_that_tries_many_people_is_slowed(db):
    client = machine(1)
    people = [make_member(f"Dr Person{n}") for n in range(12)]
    tries = [refused(sign_in(client, one, "summer in haifa 2026")) for one in people]
    assert tries == [False] * 10 + [True] * 2


def test_a_wrong_password_counts_although_the_request_is_taken_back(member, monkeypatch):
    from allauth.account.auth_backends import AuthenticationBackend

    def broken(self, request, **credentials):
        raise RuntimeError("the database went away")

    client = machine(1, raise_request_exception=False)
    with monkeypatch.context() as patched:
        patched.setattr(AuthenticationBackend, "authenticate", broken)
        statuses = [sign_in(client, member, "wrong").status_code for _ in range(5)]
    assert statuses == [500] * 5
    assert refused(sign_in(client, member, PASSWORD))


@pytest.mark.parametrize("path", ["/invitations/{}.x/", "/calendar/{}/balint.ics"])
def test_guessed_tokens_are_answered_so_often_and_then_not(db, path, monkeypatch):
    monkeypatch.setitem(limits.RATES, "guess", "3/10m/ip")
    client = machine(1)
    statuses = [client.get(path.format(f"guess{n}")).status_code for n in range(5)]
    assert statuses == [404] * 3 + [429] * 2
    assert machine(2).get(path.format("guess")).status_code == 404
    assert client.get("/about/").status_code == 200


def test_a_token_that_opens_is_not_counted(circle: Circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "guess", "3/10m/ip")
    feed = install(circle).feed
    client = machine(1)
    assert {client.get(f"/calendar/{feed}/balint.ics").status_code for _ in range(6)} == {200}


def test_a_neighbour_who_guesses_shuts_nobody_out(circle: Circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "guess", "1/10m/ip")
    feed, client = install(circle).feed, machine(1)
    guesses = [client.get(f"/calendar/guess{n}/balint.ics").status_code for n in range(3)]
    assert guesses == [404, 429, 429]
    assert client.get(f"/calendar/{feed}/balint.ics").status_code == 200
    assert client.get("/calendar/guess/balint.ics").status_code == 429


def test_proposing_has_an_end_and_the_page_says_when_to_go_on(client_of, circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "propose", "2/h/user")
    client, other = client_of(circle.leader), client_of(circle.second_leader)
    path = f"/groups/{circle.group.pk}/propose/"
    answers = [
        client.post(path, {"address": f"n{n}@example.org", "role": "member"}) for n in range(3)
    ]
    assert [one.status_code for one in answers] == [302, 302, 429]
    html = answers[-1].content.decode()
    assert "Please try again in 60 minutes." in html
    assert "<title>Balint</title>" in html
    assert 'value="n2@example.org"' in html
    assert client.get(path).status_code == 200
    assert other.post(path, {"address": "o@example.org", "role": "member"}).status_code == 302


def test_the_office_proposes_under_the_same_limit(client_of, circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "propose", "1/h/user")
    client = client_of(circle.admin)
    path = f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/propose/"
    answers = [
        client.post(path, {"address": f"n{n}@example.org", "role": "member"}) for n in range(2)
    ]
    assert [one.status_code for one in answers] == [302, 429]
    assert 'value="n1@example.org"' in answers[-1].text
    assert "Please try again in 60 minutes." in answers[-1].text


def test_sending_again_has_an_end(client_of, circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "resend", "1/h/user")
    there, client = install(circle), client_of(circle.leader)
    path = f"/proposals/{there.invited.pk}/resend/"
    assert [client.post(path).status_code == 429 for _ in range(2)] == [False, True]


def test_exports_have_an_end(client_of, circle):
    client = client_of(circle.member)
    assert [client.post("/settings/export/").status_code for _ in range(6)] == [200] * 5 + [429]
    assert client.get("/settings/export/").status_code == 200


def test_allauth_answers_in_our_look_too(client, db):
    answers = [
        client.post("/accounts/password/reset/", {"email": "x@example.org"}) for _ in "12345678"
    ]
    last = answers[-1]
    assert last.status_code == 429
    assert "Please try again in a minute." in last.content.decode()
    assert last.headers["Retry-After"] == "60"


def test_a_limit_ends(db, rf, monkeypatch):
    monkeypatch.setitem(limits.RATES, "guess", "2/10m/ip")
    request = rf.get("/")
    rate = limits.ratelimit.get_rates(app="balint", action="guess", config=limits.RATES)[0]
    key = limits.ratelimit.get_cache_key(request, app="balint", action="guess", rate=rate)
    assert limits.take(request, "guess")
    assert limits.take(request, "guess")
    assert not limits.take(request, "guess")
    assert 590 <= limits.wait(request, "guess") <= 600
    cache.set(key, [at - 601 for at in cache.get(key)], 600)
    assert limits.wait(request, "guess") == 0
    assert limits.take(request, "guess")
