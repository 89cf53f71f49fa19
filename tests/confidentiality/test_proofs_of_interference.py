"""Non-interference, small; and that a leak of a single count would be seen."""

from django.db import connection
from django.test import override_settings

from members.identity import become
from tests.confidentiality import interference

WITH_A_LEAK = "tests.confidentiality.test_proofs_of_interference.LeakingMiddleware"


class LeakingMiddleware:
    """Pages of groups grow by a space for each case there is anywhere."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        answer = self.get_response(request)
        if request.path_info == "/settings/":
            become(None, "balint_owner")
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from balint_sessions_attendance where present")
                answer.content += b" " * cursor.fetchone()[0]
        return answer


def test_what_changes_inside_a_group_changes_no_byte_outside(unbound):
    found = interference.run("small")
    assert found["interference_first"] == []
    assert found["failed"] == 0
    assert found["interference_pages"] > 180
    assert found["interference_letters"] > 0


def test_a_count_that_leaks_into_the_length_of_a_page_is_seen(unbound, settings, monkeypatch):
    monkeypatch.setattr(interference, "SMALL", ("outsider",))
    monkeypatch.setattr(interference, "_ours", lambda address: address.pattern == "settings/")
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, WITH_A_LEAK]):
        found = interference.run("small")
    assert found["interference_first"] == ["outsider: GET /settings/"]
