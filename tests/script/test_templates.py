"""Templates: plain data only, and no template that loops, allocates or reads without bound."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from conftest import little_work
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from voiceflow.script.sandbox import MAX_CHARACTERS, MAX_NUMBER, TemplateFault
from voiceflow.script.template_checks import (
    FILTERS,
    PHRASE_VARIABLES,
    TESTS,
    TEXT_VARIABLES,
    faults,
)
from voiceflow.script.templates import Macros, macro_names, names_in, render

steady = settings(derandomize=True, max_examples=150)

DATA = {
    "side": "right", "other_side": "left", "rep": 3, "reps": 8, "left": 5, "name": "Ana",
    "exercise": "Bridge", "next": "Squat", "position": "on your back", "seconds": 4,
}  # fmt: skip


def wrong(source: str, variables: frozenset[str] = TEXT_VARIABLES) -> str:
    """What is wrong with a template, as one text; "" for nothing."""
    return "; ".join(fault.message for fault in faults(source, variables))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Lift your {{ side }} leg.", "Lift your right leg."),
        ("{{ side | capitalize }} side.", "Right side."),
        ("{{ left }} to go", "5 to go"),
        ("{% if rep == 1 %}First{% elif left == 5 %}Five left{% else %}Go{% endif %}", "Five left"),
        ("{{ 'a' if side == 'left' else 'b' }}", "b"),
        ("Lift{{ ' high' if rep == 1 }}.", "Lift."),
        ("{{ rep + 1 }} of {{ reps * 2 - 1 }}", "4 of 15"),
        ("{{ 7 // 2 }}, {{ 7 % 4 }}, {{ -rep }}", "3, 3, -3"),
        ("{{ side ~ ' ' ~ other_side }}", "right left"),
        ("{{ nothing_here | default('x') }}", None),
        ("{{ minutes | default('some', true) }}", "some"),
        ("{% if position in ['on your back', 'seated'] %}yes{% endif %}", "yes"),
        ("{% if rep is odd and rep is divisibleby 3 %}yes{% endif %}", "yes"),
        ("{% set other = 'knee' %}{{ other }}", "knee"),
        ("{# said by nobody #}Up.", "Up."),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ 2.5 | round | int }}", "2"),
        ("{{ 3.14159 | round(2) }}", "3.14"),
        ("  much \n  space {{ side }}  ", "much space right"),
        ("no braces\n  stay as they are", "no braces\n  stay as they are"),
    ],
)
def test_what_texts_may_do(source: str, text: str | None) -> None:
    if text is None:
        assert wrong(source)
    else:
        assert wrong(source) == ""
        assert render(source, DATA) == text


def doubling(levels: int, width: int = 2) -> str:
    """Macros of which each calls the last several times: 2 ** levels texts."""
    macros = ["{% macro m0() %}boom{% endmacro %}"]
    for n in range(1, levels):
        calls = f"{{{{ m{n - 1}() }}}}" * width
        macros.append(f"{{% macro m{n}() %}}{calls}{{% endmacro %}}")
    return "".join(macros) + f"{{{{ m{levels - 1}() }}}}"


def lists(levels: int) -> str:
    """Lists of which each holds the last several times."""
    sets = ["{% set a0 = ['boom'] %}"]
    sets += [f"{{% set a{n} = [a{n - 1}, a{n - 1}, a{n - 1}] %}}" for n in range(1, levels)]
    return "".join(sets) + f"{{{{ a{levels - 1} }}}}"


HOSTILE = {
    # numbers and texts that grow
    "text times number": "{{ 'x' * 100000000 }}",
    "number times text": "{{ 100000000 * 'x' }}",
    "name times number": "{{ name * 100000000 }}",
    "list times number": "{{ [0] * 100000000 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "shift": "{{ 1 << 1000000 }}",
    "tower of products": "{{ " + "999999999 * " * 30 + "9 }}",
    "huge literal": "{{ " + "9" * 5000 + " }}",
    "huge hexadecimal": "{{ 0x" + "f" * 5000 + " }}",
    "infinite literal": "{{ 1e999 }}",
    "infinite to whole": "{{ 1e999 | int }}",
    "huge round": "{{ 3 | round(999999999, 'ceil') }}",
    "huge round by keyword": "{{ 3 | round(precision=999999999, method='floor') }}",
    "huge round by name": "{{ 3 | round(reps * 100000000, 'ceil') }}",
    "huge round by list": "{{ 3 | round(*[999999999, 'ceil']) }}",
    "huge base": "{{ '" + "v" * 9000 + "' | int(0, 32) }}",
    "centred": "{{ 'x' | center(100000000) }}",
    "justified": "{{ 'x' | indent(100000000) }}",
    "replaced": "{{ name | replace('', name) }}",
    "formatted by percent": "{{ '%100000000d' % 1 }}",
    "formatted by filter": "{{ '%100000000d' | format(1) }}",
    "formatted by method": "{{ '{:>100000000}'.format(1) }}",
    "joined": "{{ [name, name] | join }}",
    "batched": "{{ name | batch(1) | list }}",
    "many concats": "{{ name" + " ~ name" * 6000 + " }}",
    "set doubling": "{% set a = name %}" + "{% set a = a ~ a %}" * 19 + "{{ a }}",
    "set adding": "{% set a = name %}" + "{% set a = a + a %}" * 19 + "{{ a }}",
    "set of a call": doubling(3).replace("{{ m2() }}", "{% set a = m2() %}{{ a }}"),
    "many sets": "{% set a = 1 %}" * 21,
    "lists in lists": lists(20),
    "lists compared": lists(20).replace("{{ a19 }}", "{{ a19 == a19 }}"),
    "a list put out": "{{ [1, 2, 3] }}",
    "a mapping put out": "{{ {'a': 1} }}",
    # loops and recursion
    "range": "{% for x in range(100000000) %}x{% endfor %}",
    "range put out": "{{ range(100000000) | list }}",
    "loop over a text": "{% for c in name %}{{ c }}{% endfor %}",
    "recursive loop": "{% for c in name recursive %}{{ loop(c) }}{% endfor %}",
    "while": "{% while true %}x{% endwhile %}",
    "macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macros in a ring": (
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}"
    ),
    "ring by a second definition": (
        "{% macro a() %}x{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}"
        "{% macro a() %}{{ b() }}{% endmacro %}{{ a() }}"
    ),
    "doubling macros": doubling(30),
    "wide macros": doubling(8, 40),
    "doubling behind a filter": doubling(30).replace("() }}", "() | upper }}"),
    "macro in a macro": "{% macro a() %}{% macro b() %}x{% endmacro %}{{ b() }}{% endmacro %}",
    "macro in an if": "{% if rep %}{% macro a() %}x{% endmacro %}{% endif %}{{ a() }}",
    "macro with parameters": "{% macro m(x) %}{{ x }}{% endmacro %}{{ m('y') }}",
    "macro called with more": "{% macro m() %}{{ varargs }}{% endmacro %}{{ m(1) }}",
    "macro as a value": "{% macro m() %}x{% endmacro %}{{ m }}",
    "macro's catch-all": "{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(a=1) }}",
    "call block": "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    # reaching for more than data
    "attribute": "{{ name.__class__ }}",
    "class hierarchy": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "subscript": "{{ name['__class__'] }}",
    "slice": "{{ name[0:2] }}",
    "method": "{{ name.upper() }}",
    "attr filter": "{{ name | attr('__class__') }}",
    "map attribute": "{{ [name] | map(attribute='__class__') | list }}",
    "select": "{{ name | select('upper') | list }}",
    "group by": "{{ [name] | groupby('__class__') }}",
    "sum from": "{{ [name] | sum(attribute='__len__') }}",
    "tojson": "{{ name | tojson }}",
    "pretty": "{{ name | pprint }}",
    "self": "{{ self.__init__.__globals__ }}",
    "self alone": "{{ self }}",
    "caller": "{{ caller }}",
    "context": "{{ context }}",
    "environment": "{{ environment }}",
    "loop": "{{ loop.index }}",
    "cycler": "{{ cycler('a', 'b').next() }}",
    "joiner": "{{ joiner(',') }}",
    "lipsum": "{{ lipsum(100, html=false) }}",
    "lipsum's globals": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "dict": "{{ dict(a=1) }}",
    "namespace": "{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ ns.a }}",
    "a builtin": "{{ open('/etc/passwd') }}",
    "import": "{{ __import__('os') }}",
    "dunder": "{{ __builtins__ }}",
    "format's fields": "{{ '{0.__class__}' | format(name) }}",
    # other parts of Jinja
    "include": "{% include '/etc/passwd' %}",
    "import a file": "{% import '/etc/passwd' as p %}",
    "from a file": "{% from '/etc/passwd' import p %}",
    "extends": "{% extends '/etc/passwd' %}",
    "block": "{% block b %}x{% endblock %}{{ self.b() }}",
    "set block": "{% set a %}x{% endset %}{{ a }}",
    "set of two": "{% set a, b = name %}{{ a }}",
    "with": "{% with a = 1 %}{{ a }}{% endwith %}",
    "filter block": "{% filter upper %}x{% endfilter %}",
    "autoescape": "{% autoescape true %}{{ name }}{% endautoescape %}",
    "do": "{% do name.upper() %}",
    "debug": "{% debug %}",
    "trans": "{% trans %}x{% endtrans %}",
    "gettext": "{{ _('x') }}",
    "an inline if that loops": "{{ [x for x in name] }}",
    "a tuple": "{{ (1, 2) }}",
    "starred": "{{ name | default(*name) }}",
    "keywords": "{{ name | default(**{'default_value': 1}) }}",
    # nesting and size
    "long sum": "{{ 1" + " + 1" * 5000 + " }}",
    "long product": "{{ 1" + " * 1" * 300 + " }}",
    "parentheses": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "nots": "{{ " + "not " * 3000 + "1 }}",
    "minuses": "{{ " + "-" * 9000 + "1 }}",
    "filters": "{{ name" + " | upper" * 2000 + " }}",
    "ifs": "{% if rep %}" * 500 + "x" + "{% endif %}" * 500,
    "braces": "{{" * 10_000,
    "statements": "{%" * 10_000,
    "comments": "{#" * 10_000,
    "lists begun": "{{ " + "[" * 10_000,
    "many parts": "{{ 1 }}" * 6000,
    "many names": "".join(f"{{{{ a{n} }}}}" for n in range(2000)),
    # texts that are not templates
    "unclosed": "Lift your {{ side leg.",
    "unclosed if": "{% if rep %}x",
    "stray end": "x{% endif %}",
    "empty": "{{ }}",
    "nonsense": "{{ side side }}",
    "unknown tag": "{% lift %}",
    "unknown name": "{{ sied }}",
    "unknown filter": "{{ side | capitalise }}",
    "unknown test": "{{ rep is wonderful }}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_templates_are_refused_or_bounded(source: str) -> None:
    tracemalloc.start()
    try:
        with little_work(), suppress(TemplateFault):
            if not faults(source):
                text = render(source, {**DATA, "name": "x" * 1000})
                assert len(text) <= MAX_CHARACTERS
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 40_000_000


def growing(step: str, start: str = "9") -> str:
    """`a`, started and then changed by `step` 18 times, and never put out."""
    return f"{{% set a = {start} %}}" + f"{{% set a = {step} %}}" * 18 + "Lift."


GROWING = {
    "*": growing("a * a"),
    "* below zero": growing("a * -a"),
    "* of a filter": growing("(a | abs | round | int) * (a | int)"),
    "+": growing("a + a", "99999999999"),
    "-": growing("a - (0 - a)", "-99999999999"),
    "/": growing("a / 0.00001"),
    "//": growing("a // 0.00001"),
    "%": growing("a * a * 7 % 999999999999 * a"),
    "unary": growing("-a * +a"),
    "int of a text": growing("a * a", f"'{'9' * 4000}' | int"),
    "int of an exponent": growing("a * a", "'1e300' | int"),
    "round of an int": growing("a * a", f"('{'9' * 4000}' | int) | round"),
    "length of a text": growing("a * a", "name | length"),
}


@pytest.mark.parametrize("source", GROWING.values(), ids=GROWING.keys())
def test_no_number_that_is_computed_with_is_beyond_the_bound(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused on the way, not after the work: a bound on what is put out would come too late."""
    operands: list[int | float] = []
    compute = SandboxedEnvironment.call_binop

    def watched(self: Any, context: Any, operator: str, left: Any, right: Any) -> Any:
        operands.extend((left, right))
        return compute(self, context, operator, left, right)

    monkeypatch.setattr(SandboxedEnvironment, "call_binop", watched)
    assert faults(source) == []
    with pytest.raises(TemplateFault, match="the number is larger than 1,000,000,000,000"):
        render(source, {**DATA, "name": "x" * 1000})
    assert all(abs(number) <= MAX_NUMBER for number in operands)


def test_there_is_no_power() -> None:
    assert wrong("{{ 9 ** rep }}") == "`pow` is not allowed in a template"


REFUSED_UNSEEN = set(HOSTILE) - {
    # These are plain arithmetic, text or macros: they run, and what they may cost is counted.
    "text times number", "number times text", "name times number", "tower of products",
    "formatted by percent", "set adding", "doubling macros", "wide macros",
    "doubling behind a filter",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED_UNSEEN))
def test_hostile_templates_are_refused_without_being_run(name: str) -> None:
    found = faults(HOSTILE[name])
    assert found
    assert len(found) <= 20
    assert all(fault.message for fault in found)


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - REFUSED_UNSEEN))
def test_those_that_run_are_stopped(name: str) -> None:
    with pytest.raises(TemplateFault):
        render(HOSTILE[name], DATA)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ rep % 0 }}", "{{ 1e308 * 10 }}", "{{ 1e11 * 1e11 }}",
        "{{ name | abs }}", "{{ name | round }}", "{{ rep | length }}", "{{ -name }}",
        "{{ name + 1 }}", "{{ name < rep }}", "{{ rep is divisibleby 0 }}", "{{ name is odd }}",
        "{{ none }}", "{{ none + 1 }}", "{{ rep in left }}",
        "{% set a = a %}{{ a }}", "{{ ('9' * 1) }}",
    ],
)  # fmt: skip
def test_what_fails_with_its_values_is_a_fault(source: str) -> None:
    with pytest.raises(TemplateFault):
        render(source, DATA)


def test_a_fault_names_the_part_and_its_line() -> None:
    (fault,) = faults("Lift.\n\nYour {{ sied }} leg.")
    assert (fault.needle, fault.line) == ("sied", 3)
    assert fault.hint == "did you mean `side`?"
    (fault,) = faults("{{ side | capitalise }}")
    assert (fault.needle, fault.hint) == ("capitalise", "did you mean `capitalize`?")
    (fault,) = faults("one\n{% for x in name %}{{ side }}{% endfor %}")[:1]
    assert fault.line == 2
    (fault,) = faults("one\ntwo {% if %}")
    assert fault.line == 2


def test_all_faults_are_told_at_once() -> None:
    told = wrong("{{ sied }} {{ side.upper }} {{ rep | nope }} {% include 'x' %}")
    for part in ("`sied`", "`.` and `[]`", "`nope`", "`include`"):
        assert part in told


def test_texts_and_phrases_see_different_names() -> None:
    assert wrong("{{ caution }}") != ""
    assert wrong("{{ caution }}", PHRASE_VARIABLES) == ""
    assert names_in("{{ side }} and {{ rep + left }}") == ("left", "rep", "side")
    assert names_in("nothing") == ()


def test_only_known_filters_and_tests_are_there() -> None:
    for word in FILTERS:
        assert wrong(f"{{{{ rep | {word} }}}}") == ""
    for word in sorted(TESTS - {"divisibleby", "eq", "ge", "gt", "in", "le", "lt", "ne"}):
        assert wrong(f"{{{{ rep is {word} }}}}") == ""


def test_data_is_never_read_as_a_template() -> None:
    assert render("{{ name }}", {"name": "{{ 1 / 0 }}"}) == "{{ 1 / 0 }}"
    assert render("{{ name }}", {"name": "<b>&"}) == "<b>&"


def test_many_texts_do_not_use_up_each_others_budget() -> None:
    for n in range(2_100):
        assert faults(f"{{{{ 'text {n}' }}}}") == []
    assert render("{{ 'one' }} {{ side }}" * 20, DATA).startswith("one right")
    long = "{{ name }}" * 19
    for _ in range(3):
        assert len(render(long, {"name": "x" * 1000})) == 19_000


def test_macros_say_what_they_look_at() -> None:
    book = Macros(
        "{% macro _both() %}{{ side }} and {{ other_side }}{% endmacro %}"
        "{% macro next() %}Next, {{ next }}.{% endmacro %}"
        "{% macro sides() %} We use {{ _both() }}. {% endmacro %}"
        "{% macro quiet() %}{% endmacro %}"
    )
    assert book.render("next", DATA) == "Next, Squat."
    assert book.render("sides", DATA) == "We use right and left."
    assert book.render("sides", {**DATA, "side": "left"}) == "We use left and left."
    assert book.render("quiet", DATA) == ""
    assert "next" in book
    assert "welcome" not in book


def test_the_macros_of_a_file_are_listed_in_order() -> None:
    source = "{% macro b() %}{% endmacro %} {% macro a() %}{% endmacro %}"
    assert macro_names(source) == ("b", "a")


def test_a_macro_that_fails_or_grows_is_a_fault() -> None:
    source = (
        "{% macro zero() %}{{ 1 / rep }}{% endmacro %}"
        "{% macro long() %}" + "x" * 30_000 + "{% endmacro %}"
        "{% macro often() %}" + "{{ tip }}" * 30 + "{% endmacro %}"
    )
    assert faults(source, PHRASE_VARIABLES) == []
    book = Macros(source)
    assert book.render("zero", {"rep": 1}) == "1.0"
    for name, context in (("zero", {"rep": 0}), ("long", {}), ("often", {"tip": "y" * 1000})):
        with pytest.raises(TemplateFault):
            book.render(name, context)
    assert book.render("often", {"tip": "y"}) == "y" * 30


PIECES = st.sampled_from(
    "{{ }} {% %} {# #} | ~ ( ) [ ] , . = == in is if else endif elif set macro endmacro for"
    " endfor side rep name upper round default int 'x' 1 0 -1 1e9 0x10 % * // not and or raw"
    " endraw import include call filter \n - + true none self loop m".split(" ")
)


@steady
@given(st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=25).map(" ".join))
def test_any_text_is_a_template_or_a_fault(source: str) -> None:
    try:
        assert len(render(source, DATA)) <= MAX_CHARACTERS + len(source)
    except TemplateFault:
        pass


EXPRESSIONS = st.recursive(
    st.sampled_from(["side", "rep", "left", "name", "'x'", "0", "1", "2.5", "999999999", "-1"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / // % ~ == < and or in".split()), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, st.sampled_from(sorted(FILTERS))).map(lambda t: f"({t[0]} | {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
    ),
    max_leaves=12,
)


@steady
@given(EXPRESSIONS)
def test_any_expression_gives_a_short_text_or_a_fault(expression: str) -> None:
    try:
        assert len(render("{{ " + expression + " }}", DATA)) <= 1000
    except TemplateFault:
        pass


CLIENT = {"client.goal": "a strong | knee", "client.items": "two bands"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("For {{ client.goal }}.", "For a strong, knee."),
        # Not the method of that name which everything in Python has.
        ("Take {{ client.items }}.", "Take two bands."),
        ("{% if client.pain %}Slowly. {% endif %}Up.", "Up."),
        ('For {{ client.sport | default("your walks") }}.', "For your walks."),
        ("{{ 'yes' if client.goal is defined else 'no' }}", "yes"),
    ],
)
def test_what_is_known_of_a_client_is_said(source: str, said: str) -> None:
    assert faults(source) == []
    assert render(source, CLIENT) == said


def test_what_is_not_known_of_a_client_is_never_a_gap() -> None:
    with pytest.raises(TemplateFault) as caught:
        render("For {{ client.sport }}.", CLIENT)
    assert caught.value.message == "there is no value `client.sport` here"
    assert "--client sport=" in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "{{ client }}", "{{ client.a.b }}", "{{ client['a'] }}", "{{ client._x }}",
        "{{ client.__class__ }}", "{{ client.a() }}", "{{ name.upper }}",
        "{% set client = name %}{{ client.upper }}",
    ],
)  # fmt: skip
def test_a_template_reaches_for_nothing_else(source: str) -> None:
    with pytest.raises(TemplateFault):
        render(source, {"name": "Ana", **CLIENT})


def test_a_macro_says_what_is_known_of_this_client_and_not_of_the_one_before() -> None:
    macros = Macros("{% macro welcome() %}For {{ client.goal | default('you') }}.{% endmacro %}")
    said = [macros.render("welcome", {"client.goal": goal}) for goal in ("one", "two")]
    assert [*said, macros.render("welcome", {})] == ["For one.", "For two.", "For you."]
