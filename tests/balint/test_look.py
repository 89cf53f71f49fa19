"""The style sheet keeps its promises, and every form comes out readable for everyone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.template.loader import render_to_string

CSS = (settings.BASE_DIR / "static" / "balint.css").read_text()
SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
# A mail is no page: its readers know neither our style sheet nor our policy, only inline style.
MAILS = settings.BASE_DIR / "templates" / "letters"
TEMPLATES = sorted(
    path
    for path in (settings.BASE_DIR / "templates").rglob("*.html")
    if not path.is_relative_to(MAILS)
)
LAYERS = ["reset", "tokens", "base", "layout", "components", "utilities"]
RULE = re.compile(r"([^{};]+)\{([^{}]*)\}")


def declarations(body: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def rules() -> list[tuple[str, dict[str, str]]]:
    return [(selector.strip(), declarations(body)) for selector, body in RULE.findall(CSS)]


def tokens(selector: str, which: int = 0) -> dict[str, str]:
    sets = [body for name, body in rules() if name == selector and "--paper" in body]
    return {name[2:]: value for name, value in sets[which].items() if name.startswith("--")}


LIGHT, DARK = tokens(":root"), tokens(":root", 1)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_does():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


ON_SURFACES = [
    (ink, surface)
    for ink in ("ink", "second", "pine", "ochre-text", "rose")
    for surface in ("paper", "card")
]
ON_COLOUR = [
    ("on-pine", "pine"),
    ("on-sage", "sage"),
    ("on-ochre", "ochre"),
    ("ochre-text", "ochre-soft"),
    ("rose", "rose-soft"),
]


def pairs_in_rules() -> set[tuple[str, str]]:
    """Wherever one rule sets both text and ground from tokens."""
    found = set()
    for _, body in rules():
        text = re.fullmatch(r"var\(--([\w-]+)\)", body.get("color", ""))
        ground = re.fullmatch(r"var\(--([\w-]+)\)", body.get("background", ""))
        if text and ground:
            found.add((text[1], ground[1]))
    return found


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), ON_SURFACES + ON_COLOUR)
def test_text_stands_out_from_its_ground(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 4.5


def test_every_pair_a_rule_sets_is_one_of_those_measured():
    # A time line is drawn, not written.
    assert pairs_in_rules() - {("pine", "hairline")} <= set(ON_SURFACES + ON_COLOUR)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("surface", ["paper", "card"])
@pytest.mark.parametrize("line", ["field", "pine", "rose"])
def test_borders_of_fields_and_buttons_can_be_seen(scheme, surface, line):
    assert contrast(scheme[line], scheme[surface]) >= 3


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_leader_and_presenter_stand_out_from_a_member_without_colour(scheme):
    assert contrast(scheme["pine"], scheme["sage"]) >= 3
    assert contrast(scheme["ochre"], scheme["sage"]) >= 3


def test_the_dark_screen_has_the_colours_of_the_dark_scheme():
    assert tokens(".dark") == DARK
    assert DARK.keys() < LIGHT.keys()


def test_every_token_is_defined_and_used():
    defined = set(re.findall(r"(--[\w-]+):", CSS))
    used = set(re.findall(r"var\((--[\w-]+)\)", CSS))
    assert used == defined


def test_the_style_sheet_is_small():
    assert len(CSS.encode()) <= 20_000


def test_scripts_are_small():
    assert sum(len(path.read_bytes()) for path in SCRIPTS) <= 10_000


def test_everything_stands_in_a_layer():
    depth, outside = 0, ""
    for character in CSS:
        depth += {"{": 1, "}": -1}.get(character, 0)
        outside += character if depth == 0 else ""
    assert depth == 0
    expected = f"@layer {', '.join(LAYERS)};" + "".join(f"@layer {name} }}" for name in LAYERS)
    assert (
        re.sub(r"\s+", " ", outside).replace("} @", "}@").replace("; @", ";@").strip() == expected
    )


PHYSICAL = re.compile(
    r"""(?<![\w-])(
        (margin|padding|border|inset)-(left|right|top|bottom)
        | border-(top|bottom)-(left|right)-radius
        | (min-|max-)?(width|height) | left | right | top | bottom
    )\s*: | (text-align|float|clear):\s*(left|right)""",
    re.VERBOSE,
)


def test_properties_are_logical_so_that_right_to_left_comes_for_free():
    assert PHYSICAL.search("margin-left: 1px")
    assert PHYSICAL.search("{ width: 3px")
    without_queries = re.sub(r"@media[^{]+", "@media ", CSS)
    assert [match[0] for match in PHYSICAL.finditer(without_queries)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_write_no_markup_and_no_code(script):
    assert (
        re.findall(
            r"innerHTML|outerHTML|eval\(|new Function|document\.write|window\.\w+ =",
            script.read_text(),
        )
        == []
    )


INLINE = re.compile(
    r"""<style | \sstyle\s*= | \son\w+\s*=\s*["'] | javascript:
        | <script(?![^>]*\ssrc=)(?![^>]*type="application/json")""",
    re.VERBOSE | re.IGNORECASE,
)


def test_inline_is_recognised():
    assert INLINE.search("<script>alert(1)</script>")
    assert INLINE.search('<p style="color: red">')
    assert not INLINE.search('<script type="module" src="/static/js/clock.js"></script>')


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_style_or_script(template):
    assert INLINE.findall(template.read_text()) == []


CLASSES = re.compile(r"\bclass=\"([^\"<>]*)\"")


def classes_of(template: Path) -> set[str]:
    """Classes written out in a template; those made of variables are left to other tests."""
    text = re.sub(r"\{%.*?%\}", " ", template.read_text())
    text = re.sub(r"\{\{.*?\}\}", "\x00", text)
    words = " ".join(CLASSES.findall(text))
    return {word for word in words.split() if "\x00" not in word}


GUIDE = settings.BASE_DIR / "docs" / "look.md"


@pytest.mark.parametrize("template", [*TEMPLATES, GUIDE], ids=lambda path: path.name)
def test_templates_use_only_classes_the_style_sheet_knows(template):
    known = set(re.findall(r"\.([a-z][\w-]*)", CSS))
    assert classes_of(template) - known - {"member"} == set()


def test_only_one_place_writes_the_title():
    titled = [path.name for path in TEMPLATES if "<title>" in path.read_text()]
    assert titled == ["plain.html"]
    assert "<title>Balint</title>" in render_to_string("404.html")


ERROR_PAGES = ["400.html", "403_csrf.html", "404.html", "409.html", "500.html"]


@pytest.mark.parametrize("page", ERROR_PAGES)
def test_error_pages_know_nobody_and_no_path(page, rf):
    request = rf.get("/cases/4b3f/")
    known = {"user": "Dr Dana Green", "nav": [("Groups", "/groups/", True)], "request": request}
    assert render_to_string(page, known) == render_to_string(page)
    assert "/cases/" not in render_to_string(page, known, request)


@pytest.mark.parametrize("page", ERROR_PAGES)
def test_error_pages_offer_a_way_on(page):
    assert '<a class="button" href="/">' in render_to_string(page)


def test_a_conflict_says_its_sentence_and_the_way_back():
    html = render_to_string(
        "409.html", {"sentence": "The session has moved on.", "back_url": "/s/"}
    )
    assert "The session has moved on." in html
    assert '<a class="button" href="/s/">' in html


def test_the_broken_page_needs_no_list_of_static_files(settings):
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    assert '/static/balint.css"' in render_to_string("500.html")


class Form(forms.Form):
    name = forms.CharField(help_text="As people call you.")
    mail = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput)
    word = forms.CharField(widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(label="I accept", help_text="You can read it again later.")
    zone = forms.ChoiceField(choices=[("UTC", "UTC")])
    way = forms.ChoiceField(
        widget=forms.RadioSelect, choices=[("p", "in person"), ("o", "online")], help_text="Or both"
    )
    days = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        choices=[("7", "a week before"), ("1", "the day before")],
    )
    starts = forms.SplitDateTimeField()
    on = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    seen = forms.CharField(widget=forms.HiddenInput)


class Page(HTMLParser):
    """Elements with their attributes and parents, enough to ask what belongs to what."""

    VOID = {"input", "br", "img", "meta", "link"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), [name for name, _ in self.open]))
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.found if name in tags]

    @property
    def ids(self) -> list[str | None]:
        return [attributes["id"] for _, attributes, _ in self.found if "id" in attributes]


def page_of(form: forms.Form) -> Page:
    source = "{% load crispy_forms_tags %}{{ form|crispy }}"
    return Page(Template(source).render(Context({"form": form})))


def wrong_form() -> forms.Form:
    form = Form({"mail": "x", "starts_0": "x"})
    form.add_error(None, "The date lies in the past. Choose a later one.")
    return form


@pytest.fixture(params=[Form, wrong_form], ids=["new", "wrong"])
def page(request) -> Page:
    return page_of(request.param())


def test_every_control_has_a_label_or_a_legend(page):
    labelled = {label["for"] for label in page.of("label")}
    for tag, attributes, parents in page.found:
        if tag in {"input", "select", "textarea"} and attributes.get("type") != "hidden":
            assert attributes["id"] in labelled or "fieldset" in parents
    assert len(page.of("fieldset")) == len(page.of("legend")) == 3


def test_ids_are_unique_and_what_describes_a_control_is_there(page):
    assert len(page.ids) == len(set(page.ids))
    described = [one["aria-describedby"] for _, one, _ in page.found if "aria-describedby" in one]
    assert described
    for ids in described:
        assert set((ids or "").split()) <= set(page.ids)


def test_a_wrong_field_says_so_and_points_to_its_error():
    page = page_of(wrong_form())
    (name,) = [one for one in page.of("input") if one.get("name") == "name"]
    assert name["aria-invalid"] == "true"
    assert name["aria-describedby"] == "id_name_helptext id_name_error"
    (ways,) = [one for one in page.of("fieldset") if "id_way_error" in str(one)]
    assert ways["aria-describedby"] == "id_way_helptext id_way_error"


def test_what_is_wrong_with_the_whole_form_is_announced():
    (alert,) = [one for one in page_of(wrong_form()).of("div") if one.get("role") == "alert"]
    assert alert["class"] == "message error"


def test_a_form_uses_only_our_own_classes(page):
    known = set(re.findall(r"\.([a-z][\w-]*)", CSS))
    used = {word for _, one, _ in page.found for word in (one.get("class") or "").split()}
    assert used <= known


def test_only_what_may_stay_empty_is_called_optional():
    html = Template("{% load crispy_forms_tags %}{{ form|crispy }}").render(
        Context({"form": Form()})
    )
    assert html.count('class="optional"') == 1
    assert re.search(r'for="id_word"[^>]*>Word\s*<span class="optional">', html)


def test_a_layout_puts_fields_side_by_side_and_one_primary_button():
    from crispy_forms.helper import FormHelper
    from crispy_forms.layout import Column, Div, Field, Fieldset, Layout, Row, Submit

    form = Form()
    helper = FormHelper()
    helper.layout = Layout(
        Row("name", Field("mail", wrapper_class="stack")),
        Fieldset("Time", Div("on", css_class="stack"), Column("zone")),
    )
    helper.add_input(Submit("save", "Save"))
    page = Page(
        Template("{% load crispy_forms_tags %}{% crispy form helper %}").render(
            Context({"form": form, "helper": helper, "csrf_token": "secret"})
        )
    )
    (sent,) = page.of("form")
    assert sent["method"] == "post"
    assert [one.get("class") for one in page.of("div")][:2] == ["field-row", "field"]
    (button,) = page.of("button")
    assert button["class"] == "button primary"
    assert {one.get("name") for one in page.of("input")} >= {"csrfmiddlewaretoken", "name", "on"}


def test_a_formset_comes_with_its_counters():
    formset = forms.formset_factory(Form, extra=2)()
    html = Template("{% load crispy_forms_tags %}{{ formset|crispy }}").render(
        Context({"formset": formset})
    )
    page = Page(html)
    names = [one.get("name") for one in page.of("input")]
    assert {"form-TOTAL_FORMS", "form-0-name", "form-1-name"} <= set(names)
    assert len(page.ids) == len(set(page.ids))
