"""A sealed text is read and set like any attribute, and kept as two ordinary columns."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.views.debug import ExceptionReporter

from members.envelope import CannotOpen, CannotSeal, KeyClass, SealedText, seal
from members.keys import KeyFileError

pytestmark = pytest.mark.django_db

TITLE = "The man who never took off his coat"


@pytest.fixture
def note() -> Iterator[type[Any]]:
    """A model with two sealed texts of two classes, known to no app."""
    with isolate_apps("members"):

        class Note(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid4)
            group_id = models.UUIDField(null=True)
            title = SealedText(key_class=KeyClass.CASE, scope="group_id")
            author_id = models.UUIDField(null=True)
            word = SealedText(key_class=KeyClass.PRIVATE, scope="author_id")
            parting = SealedText(key_class=KeyClass.SITE)

            class Meta:
                app_label = "members"
                db_table = "note"

        yield Note


def test_a_sealed_text_reads_back_and_leaves_only_a_blob_on_the_row(note: type[Any]) -> None:
    row = note(group_id=uuid4())
    row.title = TITLE
    assert row.title == TITLE
    assert TITLE.encode() not in row.title_sealed
    assert TITLE not in repr(vars(row))


def test_a_sealed_text_may_be_given_when_the_row_is_made(note: type[Any]) -> None:
    assert note(title=TITLE, group_id=uuid4()).title == TITLE


def test_an_empty_text_is_null_and_reads_as_empty(note: type[Any]) -> None:
    row = note(group_id=uuid4())
    assert (row.title, row.title_sealed, row.title_version) == ("", None, 0)
    row.title = TITLE
    row.title = ""
    assert (row.title, row.title_sealed, row.title_version) == ("", None, 2)


def test_an_older_blob_put_back_does_not_open(note: type[Any]) -> None:
    row = note(group_id=uuid4(), title=TITLE)
    older = row.title_sealed
    row.title = "Corrected"
    row.title_sealed = older
    with pytest.raises(CannotOpen):
        row.title  # noqa: B018


def test_a_forgotten_title_put_back_does_not_open(note: type[Any]) -> None:
    row = note(group_id=uuid4(), title=TITLE)
    older = row.title_sealed
    row.title = ""
    row.title_sealed = older
    with pytest.raises(CannotOpen):
        row.title  # noqa: B018


def test_blobs_swapped_between_rows_do_not_open(note: type[Any]) -> None:
    group = uuid4()
    one, other = note(group_id=group, title="one"), note(group_id=group, title="other")
    one.title_sealed, other.title_sealed = other.title_sealed, one.title_sealed
    for row in (one, other):
        with pytest.raises(CannotOpen):
            row.title  # noqa: B018


def test_a_row_moved_to_another_group_does_not_open(note: type[Any]) -> None:
    row = note(group_id=uuid4(), title=TITLE)
    row.group_id = uuid4()
    with pytest.raises(CannotOpen):
        row.title  # noqa: B018


def test_texts_of_one_row_have_columns_versions_and_keys_of_their_own(note: type[Any]) -> None:
    row = note(group_id=uuid4(), author_id=uuid4(), title="a", word="b", parting="c")
    row.word = "d"
    assert (row.title, row.word, row.parting) == ("a", "d", "c")
    assert (row.title_version, row.word_version, row.parting_version) == (1, 2, 1)
    assert len({row.title_sealed[:17], row.word_sealed[:17], row.parting_sealed[:17]}) == 3


def test_a_sealed_text_needs_its_scope_first(note: type[Any]) -> None:
    with pytest.raises(ValueError, match=r"^Set group_id before the sealed text"):
        note(title=TITLE)


def test_an_error_report_shows_no_text(note: type[Any], settings: Any) -> None:
    row = note(group_id=uuid4(), title=TITLE)
    place: dict[str, Any] = {
        "scope": uuid4(),
        "table_column": "a.b_sealed",
        "row": uuid4(),
        "version": 1,
    }
    settings.BALINT_KEY_FILE = "/nonexistent/keys.json"
    reports = [
        report_of(partial(setattr, row, "title", TITLE)),
        report_of(partial(getattr, row, "title")),
        report_of(partial(seal, TITLE, key_class=KeyClass.CASE, **place)),
        report_of(partial(seal, TITLE + "\ud800", key_class=KeyClass.CASE, **place)),
    ]
    assert [TITLE in report for report in reports] == [False] * 4
    assert ["members/envelope.py" in report for report in reports] == [True] * 4


def report_of(work: Callable[[], Any]) -> str:
    """Django's own page about an error, from our first frame on, with every local variable."""
    with pytest.raises((KeyFileError, CannotSeal)) as failure:
        work()
    return ExceptionReporter(
        None, failure.type, failure.value, failure.tb.tb_next
    ).get_traceback_html()


def test_the_database_may_hand_back_a_memoryview(note: type[Any]) -> None:
    row = note(group_id=uuid4(), title=TITLE)
    row.title_sealed = memoryview(row.title_sealed)
    assert row.title == TITLE


def test_migrations_see_two_ordinary_columns_in_the_order_declared(note: type[Any]) -> None:
    found = [(field.name, field.deconstruct()[1].rpartition(".")[2]) for field in note._meta.fields]
    assert found == [
        ("id", "UUIDField"),
        ("group_id", "UUIDField"),
        ("title_sealed", "BinaryField"),
        ("title_version", "PositiveIntegerField"),
        ("author_id", "UUIDField"),
        ("word_sealed", "BinaryField"),
        ("word_version", "PositiveIntegerField"),
        ("parting_sealed", "BinaryField"),
        ("parting_version", "PositiveIntegerField"),
    ]
    assert note.title.columns == ("title_sealed", "title_version")


@isolate_apps("members")
def test_two_models_may_inherit_one_sealed_text() -> None:
    class Sealed(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid4)
        word = SealedText(key_class=KeyClass.SITE)

        class Meta:
            abstract = True
            app_label = "members"

    class One(Sealed):
        class Meta:
            app_label = "members"

    class Other(Sealed):
        class Meta:
            app_label = "members"

    same = uuid4()
    one: Any
    other: Any
    one, other = One(id=same, word=TITLE), Other(id=same, word=TITLE)
    assert (one.word, other.word) == (TITLE, TITLE)
    other.word_sealed = one.word_sealed
    with pytest.raises(CannotOpen):
        other.word  # noqa: B018
