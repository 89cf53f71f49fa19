"""Every template is used, and every address a template asks for exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import crispy_forms
import pytest
from django.apps import apps
from django.template import Engine
from django.template.base import NodeList, Template
from django.template.defaulttags import URLNode
from django.urls import URLResolver, get_resolver, include, path
from django.urls.resolvers import RegexPattern

from tests.servers import ROOT

FOLDER = ROOT / "templates"
OURS = ("balint", "sessions", "groups", "members")
NAMES = sorted(
    str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*") if file.suffix in {".html", ".txt"}
)
# Django looks these up by their very names.
BY_DJANGO = {"400.html", "403_csrf.html", "404.html", "500.html"}


def sources() -> Iterator[str]:
    for file in [file for app in OURS for file in (ROOT / app).rglob("*.py")]:
        yield file.read_text()
    for name in NAMES:
        yield (FOLDER / name).read_text()


SOURCES = "\n".join(sources())
MENTIONED = set(re.findall(r"""["']([\w./-]+\.(?:html|txt))["']""", SOURCES))
WORDS = set(re.findall(r"""["']([\w/]+)["']""", SOURCES))
# Names put together while running, such as f"letters/{kind}.txt".
BUILT = [
    re.compile(rf"{re.escape(before)}(\w+){re.escape(after)}")
    for before, after in re.findall(r"""f["']([\w/]+/)\{\w+\}([\w.]+)["']""", SOURCES)
]
CRISPY = "\n".join(file.read_text() for file in Path(crispy_forms.__path__[0]).rglob("*.py"))
# Crispy's own names for the parts of a pack; `%s` is the pack.
PARTS = set(re.findall(r"""["'](?:%s/|\{\w+\}/)?([\w/]+\.html)["']""", CRISPY))


def of_a_library(name: str) -> bool:
    """Whether allauth or Django has a template of this name, or looks one up."""
    libraries = [Path(app.path) for app in apps.get_app_configs() if app.name not in OURS]
    if any((folder / "templates" / name).exists() for folder in libraries):
        return True
    named = f'"{name.rpartition(".")[0]}.'  # allauth adds the extension while running.
    return any(named in file.read_text() for folder in libraries for file in folder.rglob("*.py"))


def is_a_part_of_our_template_pack(name: str) -> bool:
    return name.startswith("balint/") and name.removeprefix("balint/") in PARTS


def is_built_while_running(name: str) -> bool:
    found = [pattern.fullmatch(name) for pattern in BUILT]
    return any(match[1] in WORDS for match in found if match)


def is_used(name: str) -> bool:
    return (
        name in MENTIONED | BY_DJANGO
        or of_a_library(name)
        or is_a_part_of_our_template_pack(name)
        or is_built_while_running(name)
    )


def test_a_template_nobody_names_is_found_out() -> None:
    assert not any(map(is_used, ("groups/zq.html", "balint/zq.html", "letters/zq.txt")))


def test_every_template_is_used() -> None:
    assert len(NAMES) > 100
    assert [name for name in NAMES if not is_used(name)] == []


def url_nodes(nodes: NodeList) -> list[URLNode]:
    return nodes.get_nodes_by_type(URLNode)  # type: ignore[return-value]


def parsed(name: str) -> Template:
    return Engine.get_default().get_template(name)


# With the demo's pages, which tests do not switch on.
RESOLVER = URLResolver(
    RegexPattern(r"^/"), [*get_resolver().url_patterns, path("demo/", include("balint.demo_urls"))]
)


def shapes_of(view_name: str) -> list[list[str]]:
    """The parameters each address of this name takes."""
    found = RESOLVER.reverse_dict.getlist(view_name)
    return [params for possibilities, *_ in found for _, params in possibilities]


def fits(node: URLNode) -> bool:
    known = shapes_of(node.view_name.var)
    if node.kwargs:
        return set(node.kwargs) in [set(params) for params in known]
    return len(node.args) in [len(params) for params in known]


def test_an_address_that_does_not_exist_is_found_out() -> None:
    pk = "11111111-1111-4111-8111-111111111111"
    for tag in ("{% url 'nowhere' %}", "{% url 'roster' %}", f"{{% url 'settings' '{pk}' %}}"):
        (node,) = url_nodes(Engine.get_default().from_string(tag).nodelist)
        assert not fits(node)


@pytest.mark.parametrize("name", NAMES)
def test_every_address_a_template_asks_for_exists(name: str) -> None:
    nodes = [
        node for node in url_nodes(parsed(name).nodelist) if isinstance(node.view_name.var, str)
    ]
    unknown = [node.view_name.var for node in nodes if not fits(node)]
    assert unknown == []


URLS_IN_PYTHON = re.compile(r"""(?:reverse|redirect|resolve_url)\(\s*["'](\w+)["']""")


def test_every_address_our_python_asks_for_by_name_exists() -> None:
    asked = set(URLS_IN_PYTHON.findall(SOURCES))
    assert len(asked) > 5
    assert sorted(name for name in asked if not shapes_of(name)) == []
