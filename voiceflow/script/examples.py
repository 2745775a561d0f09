"""Examples to begin with: `voiceflow new` writes one of them into the user's library.

In come a kind and a name; out comes the path of a commented script that works as it is. In the
texts, NAME stands for the file's name and TITLE for the name as it is read.
"""

from __future__ import annotations

import re
from pathlib import Path

from voiceflow.core.errors import InputError
from voiceflow.core.files import explained, write_new
from voiceflow.script import schema
from voiceflow.script.lookup import Library, is_name

_SESSION = """\
# A session of your own. Say `voiceflow render NAME` to hear it, `voiceflow check NAME` to check it.
title: TITLE
about: A few good minutes for hips and back.   # said in the welcome
pace: calm                                     # calm, steady or brisk; or a pace of yours
sections:
  - Warm up:                                   # names: voiceflow list exercises
      - breath-and-pelvic-floor
      - spinal-sequencing
  - Work:
      - bridge                                 # as it is written
      - side-leg-lift: {reps: 4, level: 2}     # with changes
      - name: Shoulder Slide                   # or written right here
        position: quadruped
        setup: Knees under your hips, hands under your shoulders, spine long.
        reps: 4
        rep:                                   # one repetition: breath, seconds, full | brief
          - inhale 4: Inhale, let your chest sink. | Inhale, sink.
          - exhale 5: Exhale, push the floor away. | Exhale, push.
"""
_EXERCISE = """\
# An exercise of your own. Use it in a session by its file's name: `- NAME`.
name: TITLE
position: supine          # supine prone side-lying quadruped kneeling half-kneeling seated standing
purpose: Wake the back of your body.           # one sentence, said after the name
setup: >
  Lie on your back, knees bent, feet flat and hip-width apart.
  Rest your arms long by your sides.
reps: 6
# sides: each             # all repetitions on one side, then on the other; {{ side }} in the texts
rep:                      # one repetition: breath, seconds, what is said: full | brief
  - inhale 4: Inhale to prepare. | Inhale.
  - exhale 5: Exhale, slowly lift your hips. | Exhale, lift.
  - hold 3: Hold, ribs soft. | Hold.
  - inhale 5: Inhale, and lower with control. | Inhale, lower.
tips:                     # each said once, where there is room
  - Let your hips do the work.
caution: Stop if you feel pinching in your lower back.
finish: Let your back rest.
levels:
  2: {reps: 8, hold: 5}
  3: {reps: 10, hold: 8}
"""
_PACE = """\
# A pace of your own. Use it with `--pace NAME`, or `pace: NAME` in a session.
about: TITLE
tempo: 0.95               # 1 is as written; 0.9 slower, 1.1 faster
speech: 140               # words per minute
detail: full              # full, brief or tones
teach: 2                  # repetitions said in full before they go brief
rest: 9                   # seconds between exercises
switch_time: 8            # seconds, at least, to change sides
settle: 2                 # seconds of quiet after a set-up
count_in: 3               # beats counted before the first repetition
transition: 1             # factor on the time to change position
air: 0.3                  # seconds of quiet between any two texts
tones: bowl               # bowl, ocean, pluck or none
"""
_PHRASES = """\
{# TITLE: what is not said here is said by `coach`. Use it with `--phrases NAME`.
   Each macro is one moment; `voiceflow list phrases` names the others to learn from.
   Versions from rich to short are parted by a bar. #}
{% macro ready() %}Let us begin.{% endmacro %}
{% macro last() %}Last time.{% endmacro %}
{% macro rest() %}Lovely. Rest. | Rest.{% endmacro %}
{% macro next() %}{% if next %}Coming up: {{ next }}.{% endif %}{% endmacro %}
{% macro end() %}That was it. Well done{% if name %}, {{ name }}{% endif %}.{% endmacro %}
"""
_EXAMPLES = {
    "session": ("sessions", ".yaml", _SESSION),
    "exercise": ("exercises", ".yaml", _EXERCISE),
    "pace": ("paces", ".yaml", _PACE),
    "phrases": ("phrases", ".j2", _PHRASES),
}


def create(kind: str, name: str, library: Library) -> Path:
    """Write a commented, working example called `name` into the user's library.

    Parameters
    ----------
    kind : {"session", "exercise", "pace", "phrases"}
    name : str
        Letters, digits, hyphens and underscores.

    Raises
    ------
    InputError
        The name is not such a name, or there is a script of that name already.
    OutputError
        It cannot be written.
    """
    if not is_name(name) or not re.fullmatch(r"[\w-]+", name):
        raise InputError(f"{name!r} cannot be a name", hint="use letters, digits and hyphens")
    folder, ending, text = _EXAMPLES[kind]
    path = library.user / folder / (name + ending)
    # A name of hyphens alone has no words to make a title of.
    title = " ".join(word.capitalize() for word in re.split(r"[-_]+", name) if word) or name
    text = text.replace("NAME", name).replace("TITLE", title)
    if ending == ".yaml":  # editors that know the schema complete and check the script
        text = f"# yaml-language-server: $schema={schema.path(kind).as_uri()}\n{text}"
    try:
        write_new(path, text.encode())
    except FileExistsError:
        raise InputError(f"{path} already exists", hint="edit it, or choose another name") from None
    except OSError as error:
        raise explained(error, path) from None
    return path
