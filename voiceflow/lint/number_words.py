"""Finds a number of one beside a word for several: "1 times", "1 repetitions".

In: a text as it is heard, with its language. Out: each place, and how a template would say it
right. A language without a table has no findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from voiceflow.core.errors import Mark, Problem
from voiceflow.plan.cues import CueSheet
from voiceflow.plan.moments import Plan
from voiceflow.script.fields import Text, locate

# Words for several by the word for one.
_NOUNS: Mapping[str, Mapping[str, str]] = {
    "en": {
        f"{one}s": one
        for one in (
            "time repetition repeat rep round change set breath inhale exhale cycle circle second"
            " minute hour day week month step count beat exercise interval lap lift pulse squat"
            " turn pause side position section session move"
        ).split()
    },
    "es": {
        "veces": "vez", "repeticiones": "repetición", "rondas": "ronda", "cambios": "cambio",
        "series": "serie", "respiraciones": "respiración", "ciclos": "ciclo", "pasos": "paso",
        "segundos": "segundo", "minutos": "minuto", "horas": "hora", "vueltas": "vuelta",
        "ejercicios": "ejercicio", "días": "día", "semanas": "semana", "tiempos": "tiempo",
    },
    "pt": {
        "vezes": "vez", "repetições": "repetição", "rodadas": "rodada", "trocas": "troca",
        "séries": "série", "respirações": "respiração", "ciclos": "ciclo", "passos": "passo",
        "segundos": "segundo", "minutos": "minuto", "horas": "hora", "voltas": "volta",
        "exercícios": "exercício", "dias": "dia", "semanas": "semana",
    },
    "it": {
        "volte": "volta", "ripetizioni": "ripetizione", "giri": "giro", "cambi": "cambio",
        "respiri": "respiro", "respirazioni": "respirazione", "cicli": "ciclo", "passi": "passo",
        "secondi": "secondo", "minuti": "minuto", "ore": "ora", "esercizi": "esercizio",
        "giorni": "giorno", "settimane": "settimana",
    },
    "de": {
        "wiederholungen": "Wiederholung", "runden": "Runde", "sätze": "Satz", "übungen": "Übung",
        "atemzüge": "Atemzug", "durchgänge": "Durchgang", "zyklen": "Zyklus", "schritte": "Schritt",
        "sekunden": "Sekunde", "minuten": "Minute", "stunden": "Stunde", "wochen": "Woche",
    },
    # Not fois, which is one and several.
    "fr": {
        "répétitions": "répétition", "tours": "tour", "séries": "série", "cycles": "cycle",
        "respirations": "respiration", "secondes": "seconde", "minutes": "minute",
        "heures": "heure", "exercices": "exercice", "jours": "jour", "semaines": "semaine",
    },
}  # fmt: skip
_BETWEEN: Mapping[str, str] = {
    "en": "more|full|slow|deep|easy|long|gentle|complete|whole|further|extra|last|other|calm|soft|"
    "small|big|final|quiet|smooth|steady|even|equal|short",
    "es": "más|últimas?|últimos?",
    "pt": "mais|últimas?|últimos?|outras?|outros?",
    "it": "altre|altri|ultime|ultimi|lente|lenti",
    "de": "weitere|letzte|langsame|tiefe|volle|ganze",
    "fr": "autres|dernières|derniers|petites|petits|longues|lentes",
}
# "Round 1 changes sides", "0 or 1 times", "point 1 seconds": the number belongs to what is before.
_LABELS: Mapping[str, str] = {
    "en": "round|set|phase|part|step|exercise|level|number|no.|day|week|position|option|version|"
    "stage|station|move|side|section|chapter|movement|lesson|zone|type|block|minute|interval|"
    "rep|repetition|point|to|or|minus|plus|and|times|by",
    "es": "ronda|serie|fase|parte|paso|ejercicio|nivel|número|día|semana|posición|opción|a|o|coma|"
    "por|menos|más|y",
    "pt": "rodada|série|fase|parte|passo|exercício|nível|número|dia|semana|posição|opção|a|ou|"
    "vírgula|por|menos|mais|e",
    "it": "giro|serie|fase|parte|passo|esercizio|livello|numero|giorno|settimana|posizione|opzione|"
    "a|o|virgola|per|meno|più|e",
    "de": "runde|satz|phase|teil|schritt|übung|stufe|nummer|tag|woche|position|variante|bis|oder|"
    "komma|mal|minus|plus|und",
    "fr": "tour|série|phase|partie|étape|exercice|niveau|numéro|jour|semaine|position|option|à|ou|"
    "virgule|fois|moins|plus|et",
}
# "1 times 10" is a sum, "the 1 times table" a thing.
_AFTER: Mapping[str, str] = {
    "en": r"\d|tables?\b|the\b|your\b|its\b|body\b|one\b|two\b|three\b|four\b|five\b|ten\b",
    **dict.fromkeys(("es", "pt", "it", "de", "fr"), r"\d"),
}
# Written out, and never a verb: "the first one changes sides".
_IN_WORDS: Mapping[str, str] = {
    "en": r"(?<!no )(?<!any )(?<!each )(?<!this )(?<!that )(?<!which )(?<!every )(?<!first )"
    r"one (?P<noun>repetitions|breaths|minutes|hours|weeks|times)\b",
    "es": r"un[oa]? (?P<noun>veces|repeticiones|rondas|cambios|respiraciones|segundos|minutos)\b",
    "pt": r"uma? (?P<noun>vezes|repetições|rodadas|séries|respirações|segundos|minutos)\b",
    "it": r"una? (?P<noun>volte|ripetizioni|giri|respiri|secondi|minuti)\b",
    "de": r"eine? (?P<noun>wiederholungen|runden|sätze|atemzüge|sekunden|minuten)\b",
    "fr": r"une? (?P<noun>répétitions|séries|respirations|secondes|minutes)\b",
}


@dataclass(frozen=True, slots=True)
class Miscount:
    """The words as they are heard, the noun in them, and the noun for one."""

    words: str
    noun: str
    one: str


def miscounts(text: str, language: str) -> Iterator[Miscount]:
    """Each "1 times" in `text`, a text as it is heard."""
    nouns = _NOUNS.get(language)
    low = text.lower()
    if not nouns or not any(one in low for one in ("1", "one", "un", "um", "ein")):
        return
    for pattern in _patterns(language):
        for match in pattern.finditer(text):
            noun = match["noun"]
            yield Miscount(match[0], noun, nouns[noun.lower()])


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    nouns = "|".join(_NOUNS[language])
    labels = "".join(rf"(?<!\b{re.escape(one)} )" for one in _LABELS[language].split("|"))
    # Not in "21 times", "0.1 times", "1:1", "2/1", "3-1", "#1", "x1" and "-1".
    alone = rf"(?<![\w.,:/×#$+−–-]){labels}1"
    number = rf"{alone}(?: (?:{_BETWEEN[language]})){{0,2}} (?P<noun>{nouns})(?![\w'’-])"
    after = rf"(?! (?:{_AFTER[language]}))"
    kinds = (number, rf"(?<!\w){_IN_WORDS[language]}")
    return tuple(re.compile(kind + after, re.IGNORECASE) for kind in kinds)


def hint_for(found: Miscount, versions: Sequence[str]) -> str:
    """What to write in place of the text with these `versions`, which came out as `found`."""
    noun, one = re.escape(found.noun), found.one
    counted = re.compile(
        rf"\{{\{{-?\s*(?P<value>[^{{}}|]+?)\s*-?\}}\}}(?P<between>(?: \w+){{0,2}}) {noun}(?!\w)",
        re.IGNORECASE,
    )
    for version in versions:
        if match := counted.search(version):
            value, between = match["value"], match["between"]
            return (
                f"write `{{{{ {value} }}}}{between} "
                f"{{% if {value} == 1 %}}{one}{{% else %}}{found.noun}{{% endif %}}`"
            )
    return f"write “{found.words[: -len(found.noun)]}{one}”"


def told(found: Miscount) -> str:
    """What is wrong with it."""
    return f"“{found.words}” is one, and is said as several"


def count_problems(plan: Plan, sheet: CueSheet) -> Iterator[Problem]:
    """A warning for each text of a script that comes out as "1 times"."""
    language = plan.session.language.split("-")[0]
    found: dict[tuple[Mark, Miscount], Text] = {}
    for text, said in _texts(plan, sheet):
        for one in (one for version in said for one in miscounts(version, language)):
            if any(one.noun in version for version in text.versions):
                found.setdefault((text.mark, one), text)
    for (mark, one), text in found.items():
        hint = hint_for(one, text.versions)
        yield Problem(locate(mark, one.noun), told(one), hint, "warning")


def _texts(plan: Plan, sheet: CueSheet) -> Iterator[tuple[Text, Iterable[str]]]:
    """The texts of a plan, each with what came of it."""
    for moment, cue in zip(plan.moments, sheet.cues, strict=True):
        for line in moment.lines:
            if line.text is not None:
                yield line.text, (*cue.sentences, *cue.versions[: cue.own])
    for bout, tips in zip(plan.bouts, sheet.tips, strict=True):
        # A tip that came out empty is not among them: then the two do not match.
        if len(tips) == len(bout.exercise.tips):
            yield from ((text, (tip,)) for text, tip in zip(bout.exercise.tips, tips, strict=True))
