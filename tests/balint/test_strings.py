import io

from babel.messages.extract import extract

from balint.strings import in_template

KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def found_in(template: str) -> list[tuple[object, object]]:
    file = io.BytesIO(template.encode())
    found = extract(in_template, file, KEYWORDS, ["Translators"], {})
    return [(message, context) for _line, message, _comments, context in found]


def test_a_template_gives_up_its_strings_whatever_tag_holds_them() -> None:
    template = """
    <h1>{% translate "We expect you" %}</h1>
    {% blocktranslate count n=n %}{{ n }} meeting{% plural %}{{ n }} meetings{% endblocktranslate %}
    {% translate "May" context "month" %}
    {% blocktranslate %}Good evening, {{ name }}{% endblocktranslate %}
    """
    assert found_in(template) == [
        ("We expect you", None),
        (("%(n)s meeting", "%(n)s meetings"), None),
        ("May", "month"),
        ("Good evening, %(name)s", None),
    ]


def test_text_outside_the_tags_is_left_alone() -> None:
    assert found_in("<p>it's {{ name }} (a “quote” and an { brace</p>") == []


def test_no_indentation_is_too_odd() -> None:
    template = """
        {% if a %}
      {% translate "waits for a yes" %}
    {% elif b %}{% translate "needs your yes" %}
            {% else %}
  {% blocktranslate trimmed %}
            We expect
        you.
  {% endblocktranslate %}{% endif %}"""
    assert [message for message, _ in found_in(template)] == [
        "waits for a yes",
        "needs your yes",
        "We expect you.",
    ]
