"""The phases of a session, as data: what usually follows, what may follow, and who has a voice.

Nothing here advances by itself: silence is work. `docs/phases.md` is generated from this file
(`python -m sessions.phases > docs/phases.md`).
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override


class Phase(StrEnum):
    PLANNED = "planned"
    ARRIVING = "arriving"
    FOLLOW_UP = "follow_up"
    CALL = "call"
    STORY = "story"
    QUESTIONS = "questions"
    GROUP_WORK = "group_work"
    RETURN = "return"
    CLOSING = "closing"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Voice(StrEnum):
    LEADERS = "leaders"
    PRESENTER = "presenter"
    GROUP = "group"


@dataclass(frozen=True)
class Switches:
    """What the schools differ on and each group decides for itself."""

    questions: bool = True
    sitting_back: bool = True
    # How the group asks the two questions of the beginning, where it has words of its own.
    follow_up_words: str = ""
    call_words: str = ""


ALL_ON = Switches()

# The order of an evening; S0 has the ritual questions of follow-up and call at its start.
ORDER = (
    Phase.ARRIVING,
    Phase.FOLLOW_UP,
    Phase.CALL,
    Phase.STORY,
    Phase.QUESTIONS,
    Phase.GROUP_WORK,
    Phase.RETURN,
    Phase.CLOSING,
)
RUNNING = frozenset(ORDER)

# From the story to the presenter's coming back in, a case is being worked on.
WITH_CASE = frozenset({Phase.STORY, Phase.QUESTIONS, Phase.GROUP_WORK, Phase.RETURN})

# Where a second case of the same evening begins, once the first presenter is back in.
SECOND_CASE = frozenset({Phase.CALL, Phase.STORY})

# What usually follows where a group uses every phase; `usual_next` leaves out what it does not.
NEXT: dict[Phase, Phase | None] = {
    Phase.PLANNED: Phase.ARRIVING,
    Phase.ARRIVING: Phase.FOLLOW_UP,
    Phase.FOLLOW_UP: Phase.CALL,
    Phase.CALL: Phase.STORY,
    Phase.STORY: Phase.QUESTIONS,
    Phase.QUESTIONS: Phase.GROUP_WORK,
    Phase.GROUP_WORK: Phase.RETURN,
    Phase.RETURN: Phase.CLOSING,
    Phase.CLOSING: Phase.CLOSED,
    Phase.CLOSED: None,
    Phase.CANCELLED: None,
}

# No step is ever required, so any may follow any while the session runs, forward or back.
# A session nobody opened here is put down afterwards: planned, then closed.
MAY_FOLLOW: dict[Phase, frozenset[Phase]] = {
    Phase.PLANNED: RUNNING | {Phase.CLOSED, Phase.CANCELLED},
    **{phase: RUNNING - {phase} | {Phase.CLOSED} for phase in ORDER},
    Phase.CLOSED: frozenset(),
    Phase.CANCELLED: frozenset({Phase.PLANNED}),
}

EVERYONE = frozenset(Voice)
NOBODY: frozenset[Voice] = frozenset()

# Who has a voice where the presenter sits back (S0: a little outside the circle; S1: owes nothing).
VOICES: dict[Phase, frozenset[Voice]] = {
    Phase.PLANNED: NOBODY,
    Phase.ARRIVING: EVERYONE,
    Phase.FOLLOW_UP: EVERYONE,
    Phase.CALL: EVERYONE,
    Phase.STORY: frozenset({Voice.LEADERS, Voice.PRESENTER}),
    Phase.QUESTIONS: EVERYONE,
    Phase.GROUP_WORK: frozenset({Voice.LEADERS, Voice.GROUP}),
    Phase.RETURN: EVERYONE,
    Phase.CLOSING: EVERYONE,
    Phase.CLOSED: NOBODY,
    Phase.CANCELLED: NOBODY,
}

# Fewest and most minutes groups usually take (S2: a story of 3 to 5, some groups up to 15).
USUAL_MINUTES: dict[Phase, tuple[int, int]] = {
    Phase.ARRIVING: (0, 10),
    Phase.FOLLOW_UP: (0, 10),
    Phase.CALL: (1, 5),
    Phase.STORY: (3, 15),
    Phase.QUESTIONS: (0, 10),
    Phase.GROUP_WORK: (25, 60),
    Phase.RETURN: (3, 10),
    Phase.CLOSING: (5, 5),
}

NAMES = {
    Phase.PLANNED: gettext_lazy("Planned"),
    Phase.ARRIVING: gettext_lazy("Arriving"),
    Phase.FOLLOW_UP: gettext_lazy("Follow-up"),
    Phase.CALL: gettext_lazy("The call"),
    Phase.STORY: gettext_lazy("The story"),
    Phase.QUESTIONS: gettext_lazy("Questions of fact"),
    Phase.GROUP_WORK: gettext_lazy("The group’s work"),
    Phase.RETURN: gettext_lazy("Coming back in"),
    Phase.CLOSING: gettext_lazy("Closing"),
    Phase.CLOSED: gettext_lazy("Over"),
    Phase.CANCELLED: gettext_lazy("Cancelled"),
}

SENTENCES = {
    Phase.PLANNED: gettext_lazy("The meeting has not begun."),
    Phase.ARRIVING: gettext_lazy("Arriving. There is time."),
    Phase.FOLLOW_UP: gettext_lazy("Follow-up. Who has a follow-up report?"),
    Phase.CALL: gettext_lazy("The call. Who has a case?"),
    Phase.STORY: gettext_lazy("The story, told from memory."),
    Phase.QUESTIONS: gettext_lazy("Questions of fact."),
    Phase.GROUP_WORK: gettext_lazy("The group’s work. The presenter is sitting back."),
    Phase.RETURN: gettext_lazy("Coming back in. The presenter has the first word, or none."),
    Phase.CLOSING: gettext_lazy("Closing. A few words on the meeting."),
    Phase.CLOSED: gettext_lazy("The meeting is over."),
    Phase.CANCELLED: gettext_lazy("This meeting does not take place."),
}

# Asked aloud; on the card, and within the sentences above.
QUESTIONS = {
    Phase.FOLLOW_UP: gettext_lazy("Who has a follow-up report?"),
    Phase.CALL: gettext_lazy("Who has a case?"),
}

NAMED_SENTENCES = {
    Phase.STORY: gettext_lazy("The story. %(presenter)s is telling it."),
    Phase.QUESTIONS: gettext_lazy("Questions of fact, to %(presenter)s."),
    Phase.GROUP_WORK: gettext_lazy("The group’s work. %(presenter)s is sitting back."),
    Phase.RETURN: gettext_lazy("Coming back in. %(presenter)s has the first word, or none."),
}

# What the step into a phase says on its button.
STEP_LABELS = {
    Phase.ARRIVING: gettext_lazy("open the meeting"),
    Phase.FOLLOW_UP: gettext_lazy("ask for a follow-up report"),
    Phase.CALL: gettext_lazy("ask who has a case"),
    Phase.STORY: gettext_lazy("begin the story"),
    Phase.QUESTIONS: gettext_lazy("go on to questions of fact"),
    Phase.GROUP_WORK: gettext_lazy("let the presenter sit back"),
    Phase.RETURN: gettext_lazy("ask the presenter back in"),
    Phase.CLOSING: gettext_lazy("go on to closing"),
    Phase.CLOSED: gettext_lazy("end the meeting"),
}

NAMED_STEP_LABELS = {
    Phase.GROUP_WORK: gettext_lazy("let %(presenter)s sit back"),
    Phase.RETURN: gettext_lazy("ask %(presenter)s back in"),
}


def enabled(phase: Phase, switches: Switches = ALL_ON) -> bool:
    """Whether the group uses this phase; nobody comes back in who did not sit back."""
    if phase is Phase.QUESTIONS:
        return switches.questions
    return phase is not Phase.RETURN or switches.sitting_back


def usual_next(phase: Phase, switches: Switches = ALL_ON) -> Phase | None:
    """The step the leaders' one button offers; None once the session is over or cancelled."""
    following = NEXT[phase]
    while following is not None and not enabled(following, switches):
        following = NEXT[following]
    return following


def may_follow(phase: Phase, switches: Switches = ALL_ON) -> frozenset[Phase]:
    """The steps a leader may take from here, forward or back."""
    return frozenset(step for step in MAY_FOLLOW[phase] if enabled(step, switches))


def voices(phase: Phase, switches: Switches = ALL_ON) -> frozenset[Voice]:
    """Who has a voice; in the group's work all have where the presenter does not sit back."""
    if phase is Phase.GROUP_WORK and not switches.sitting_back:
        return EVERYONE
    return VOICES[phase]


def presenter_listens(phase: Phase, switches: Switches = ALL_ON) -> bool:
    """Whether the presenter sits back now, owing nothing and asked nothing (S1)."""
    return phase in RUNNING and Voice.PRESENTER not in voices(phase, switches)


def sentence(phase: Phase, presenter: str = "", switches: Switches = ALL_ON) -> str:
    """The one sentence of the strip: “The group’s work. Amit is sitting back.”"""
    if phase is Phase.GROUP_WORK and not switches.sitting_back:
        return _("The group’s work.")
    if own := own_words(phase, switches):
        return f"{NAMES[phase]}. {own}"
    return _named(phase, presenter, NAMED_SENTENCES, SENTENCES)


def own_words(phase: Phase, switches: Switches) -> str:
    """The group's own wording of the question that this phase asks; empty where it has none."""
    if phase is Phase.FOLLOW_UP:
        return switches.follow_up_words
    return switches.call_words if phase is Phase.CALL else ""


def question(phase: Phase, switches: Switches = ALL_ON) -> str:
    """What the leaders ask aloud in this phase, in the group's words or the usual ones."""
    return own_words(phase, switches) or str(QUESTIONS[phase])


def next_step_label(phase: Phase, presenter: str = "", switches: Switches = ALL_ON) -> str:
    """What the leaders' one button does from this phase: “ask Amit back in”; empty at the end."""
    following = usual_next(phase, switches)
    if following is None:
        return ""
    if following is Phase.GROUP_WORK and not switches.sitting_back:
        return _("go on to the group’s work")
    return _named(following, presenter, NAMED_STEP_LABELS, STEP_LABELS)


def as_markdown() -> str:
    """The text of `docs/phases.md`, in English whatever language is in use."""
    with override("en"):
        return "\n".join([INTRODUCTION, *_table(), "", *_diagram(), ""])


INTRODUCTION = """\
# The phases of a session

Generated from `sessions/phases.py` by `python -m sessions.phases > docs/phases.md`; do not edit.

A leader may take any step the table allows, forward or back; none is required, none happens by
itself. Two phases are switches of the group: *questions* leaves out `questions`, *sitting back*
leaves out `return` and gives the presenter a voice in `group_work`. Who sits outside and observes,
as in a fishbowl, tells no case and has none of these voices. More in [evenings.md](evenings.md).
"""


def _table() -> Iterable[str]:
    yield "| phase | on the screen | who has a voice | minutes | usually next | may follow |"
    yield "|---|---|---|---|---|---|"
    for phase in Phase:
        cells = (
            f"`{phase}`",
            str(NAMES[phase]),
            ", ".join(voice for voice in Voice if voice in VOICES[phase]) or "nobody",
            "–".join(str(n) for n in dict.fromkeys(USUAL_MINUTES.get(phase, ()))),
            f"`{NEXT[phase]}`" if NEXT[phase] else "",
            _listed(phase),
        )
        yield f"| {' | '.join(cells)} |"


def _listed(phase: Phase) -> str:
    """What may follow, with all steps of a running session said in two words."""
    following = MAY_FOLLOW[phase]
    steps = RUNNING - {phase}
    words = ["any other step" if phase in RUNNING else "any step"] if steps <= following else []
    rest = following - steps if words else following
    return ", ".join([*words, *(f"`{step}`" for step in Phase if step in rest)]) or "nothing"


def _diagram() -> Iterable[str]:
    """The usual way through an evening; the table has the rest."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {Phase.PLANNED}"
    yield '    state "the session runs: any step to any other" as running {'
    yield f"        [*] --> {ORDER[0]}"
    for phase in ORDER:
        if NEXT[phase] in RUNNING:
            yield f"        {phase} --> {NEXT[phase]}"
    for phase in ORDER:
        if phase in SECOND_CASE:
            yield f"        {Phase.RETURN} --> {phase}: a second case"
    yield "    }"
    yield from _arrows_outside()
    yield "```"


def _arrows_outside() -> Iterable[str]:
    outside = [phase for phase in Phase if phase not in RUNNING]
    for phase in outside:
        if MAY_FOLLOW[phase] & RUNNING:
            yield f"    {phase} --> running"
        if all(phase in MAY_FOLLOW[step] for step in RUNNING):
            yield f"    running --> {phase}"
        for following in outside:
            if following in MAY_FOLLOW[phase]:
                yield f"    {phase} --> {following}"
        if NEXT[phase] is None:
            yield f"    {phase} --> [*]"


def _named(
    phase: Phase, presenter: str, named: Mapping[Phase, object], plain: Mapping[Phase, object]
) -> str:
    if presenter and phase in named:
        return str(named[phase]) % {"presenter": presenter}
    return str(plain[phase])


if __name__ == "__main__":
    # The words are gettext's, which wants settings; the generator needs no site around it.
    settings.configure(USE_I18N=False)
    sys.stdout.write(as_markdown())
