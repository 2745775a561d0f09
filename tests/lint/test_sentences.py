"""Sentences as coaches say them: what points at nothing is let be, what must be told is told.

Pilates, physiotherapy, yoga nidra, prenatal classes, intervals and breathwork.
"""

from __future__ import annotations

import pytest

from voiceflow.lint.seen_words import seen
from voiceflow.lint.thing_words import listed, things
from voiceflow.lint.word_tables import breathes
from voiceflow.script.side_words import sides

FOLLOWED = """
Stay here for three breaths.
Hold here.
Rest here, and breathe.
From here, lift one leg.
Here we go.
You are here, in this room.
Bring your attention back here.
Place both hands on your belly and rest here.
Press up from here.
Look up to the ceiling.
Look straight ahead.
Look over your shoulder.
Look slowly down.
Look inside, and notice.
Watch your breath.
Watch the breath come and go.
Watch the rise and fall of your belly.
Watch your thoughts like clouds.
Watch that your knee stays over your toes.
Watch out for the edge.
See if your shoulders can soften.
See how that feels.
See yourself lying in warm sand.
See a small flame behind your closed eyes.
In your mind's eye, see the colour blue.
I'll see you next time.
See your doctor if it hurts.
Stay like this for a minute.
Keep breathing like this.
Breathe slowly like this.
Continue like this.
Five more breaths like this.
It may feel like this at first.
Picture a lake on the screen of your mind.
On the screen behind your closed eyes, let a colour appear.
You feel like so many others do.
If you would like me to say less, ask for it.
As you see fit, make it smaller.
In this way the spine lengthens.
Keep going this way.
Rock this way and that.
Watch over your neck.
Don't look for perfection.
There is no need to look.
Look for a place that feels soft.
Leave your watch on.
Sitting here, feel your weight.
Right here, right now.
""".strip().splitlines()

POINTING = """
Do it like this.
Lift your leg like this.
Rest, like this, for a while.
Turn your foot like so.
Stand like me.
Sit like this.
Look at me.
Look here.
Look at my knee.
Look who has come.
Take a look.
Watch me.
Watch your knees.
Watch how I turn.
Put your hand here.
Place your fingers right here.
Touch here.
You feel it here.
Feel the stretch here.
See my knee?
See how I lift it.
See the picture.
Turn this way.
Move over there.
Follow me.
As you can see, it turns.
On the screen, a line moves.
Check yourself in the mirror.
As shown, bend your knee.
""".strip().splitlines()

NO_THINGS = """
Circle out with the knee.
A small circle out, and back.
Draw a small circle with your foot.
Make the circle bigger.
Reverse the circle.
Let the circle shrink.
Hold the circle small.
Take the circle wider.
Feel the band of muscle around your waist.
The band of muscle under your ribs works.
Your IT band may feel tight.
A band of warmth around your head.
Feel a band of light.
Roll through the ball of your foot.
Rise onto the balls of your feet.
Press the ball and heel down.
From heel to ball.
Roll through heel, ball, toes.
Curl into a small ball.
The ball-and-socket joint of your hip.
The ball and socket of your hip.
Roll like a ball.
Ball your hands into fists.
A ball of light in your belly.
Shift the weight to your left foot.
Take the weight off your heel.
Feel the weight of your head.
Let the weight of your arms sink.
Lower the weight into your hips.
Put a little more weight on your left leg.
Keep the weight even.
Lift the weight off your hands.
Hold the weight in your heels.
Spread the weight between both feet.
Breathe into the wall of your chest.
The abdominal wall draws in.
Reach your heel toward the wall behind you.
Sit back, as if into a chair.
An invisible chair holds you.
Imagine a cushion under your head.
Float on a cushion of air.
Cushion the landing with soft knees.
Let the muscles hold back stool and wind.
Do not hold your breath when passing stool.
Let a wave of a wall of water pass.
Down to your bra straps.
Like a towel that is wrung out.
Chair pose, arms up.
You need no chair for this.
Do it without weights.
You don't need a mat.
If you have a cushion, put it under your head.
Picture a ball between your hands.
Think of a band around your knees.
Your emotions may be a roller coaster.
The pelvic floor is a band of muscle.
Circle your ankles.
""".strip().splitlines()

ON_THE_MAT = """
Lie on the mat.
Feel the mat under your back.
Press your hands into the mat.
Press the mat away.
Slide your heel along the mat.
Your head rests on your mat.
Step to the back of your mat.
Lower down to the mat.
""".strip().splitlines()

THINGS = """
Roll out your mat.=mat
Fold the mat in two.=mat
Lie down, both feet on a chair.=chair
Sit on a chair, as if it were yours.=chair
Hold the ball, feet on the wall.=ball,wall
Squeeze the ball.=ball
Squeeze the circle between your knees.=circle
Press into the circle.=circle
Place the circle between your ankles.=circle
Take the magic circle.=circle
Loop the band around your foot.=band
A band around your knees, step out.=band
Pull the resistance band apart.=band
Hold a light weight in each hand.=weight
Lift the weight.=weight
Lower the weight slowly.=weight
Take the dumbbells.=weight
Pick up the weights.=weight
Put the weight down beside the chair.=weight,chair
Slide a cushion under your head.=cushion
Put a towel under your knee.=towel
Slip your foot into the strap.=strap
Sit down on the stool.=stool
Lie on the roller.=roller
Lean your back against the wall.=wall
Hand on a wall.=wall
Would you like a pillow under your head?=cushion
Without moving the ball, breathe.=ball
Tennis balls under both feet.=ball
Put your feet on the footbar.=reformer
Pass the weight to your right hand.=weight
""".strip().splitlines()

NO_SIDES = """
Find the right height for your foot.
Choose the right weight.
It should feel just right.
That feels about right.
If that is right for you, go on.
At the right moment, let go.
Move right away.
Right now, nothing has to be done.
Sit right on your sit bones.
Stretch right through to your heels.
Breathe right down into your belly.
Reach right to your fingertips.
Keep a right angle in your knee.
Bend the elbow to a right-angled corner.
Stay right where you are.
Rest right here.
All right, exhale.
That's right.
Easy, right?
Right, let's begin.
Do it right, not fast.
There is no right way to breathe.
Two breaths left.
One left.
Three more left.
4 left.
Ten seconds left.
Let go of any tension left in your jaw.
Nothing is left to do.
Until no air is left.
What is left of your breath leaves.
Use whatever energy you have left.
Go on where we left off.
Only a little time left.
Half a minute left.
Leave nothing left over.
The round you have left is short.
Is there any effort left?
Sit upright.
A bright, soft light.
Find the right direction.
Right then, we begin.
""".strip().splitlines()

NAMED = [
    ("Lift your right leg.", {"right"}),
    ("Left, exhale.", {"left"}),
    ("Exhale, right.", {"right"}),
    ("Right knee up.", {"right"}),
    ("Lift that left knee.", {"left"}),
    ("Rock from left to right.", {"left", "right"}),
    ("Cross your left over your right.", {"left", "right"}),
    ("Right over left.", {"left", "right"}),
    ("Step your left behind the right.", {"left", "right"}),
    ("Two breaths left, right leg up.", {"right"}),
    ("Turn to the right.", {"right"}),
    ("Lie on your left side.", {"left"}),
    ("All right, left leg.", {"left"}),
    ("The right hip is heavy.", {"right"}),
    ("Breathe through your left nostril.", {"left"}),
    ("Now right, now left.", {"left", "right"}),
]

BREATHING = """
Inhale, and grow.
Breathe as you like.
In through your nose.
Out through your mouth.
Sigh it out.
Let the air go.
Close your left nostril.
Blow out the candle.
Sniff twice.
""".strip().splitlines()


@pytest.mark.parametrize("text", FOLLOWED)
def test_what_can_be_followed_with_closed_eyes_is_let_be(text: str) -> None:
    assert seen(text) == ()


@pytest.mark.parametrize("text", POINTING)
def test_what_must_be_seen_is_told(text: str) -> None:
    found = seen(text)
    assert found
    for one in found:
        assert text[one.start :].startswith(one.word)


@pytest.mark.parametrize("text", NO_THINGS)
def test_what_is_no_thing_is_let_be(text: str) -> None:
    assert things(text, "en") == {}


@pytest.mark.parametrize("text", ON_THE_MAT)
def test_who_lies_on_a_mat_has_one(text: str) -> None:
    assert things(text, "en", lying=True) == {}
    assert set(things(text, "en")) == {"mat"}


@pytest.mark.parametrize("line", THINGS)
def test_things_to_fetch_are_found(line: str) -> None:
    text, _, wanted = line.partition("=")
    assert set(things(text, "en")) == set(wanted.split(","))
    assert set(things(text, "en", lying=True)) == set(wanted.split(","))


@pytest.mark.parametrize("text", NO_SIDES)
def test_what_is_no_side_is_let_be(text: str) -> None:
    assert sides(text, "en") == {}


@pytest.mark.parametrize(("text", "named"), NAMED)
def test_sides_are_found(text: str, named: set[str]) -> None:
    assert set(sides(text, "en")) == named


@pytest.mark.parametrize("text", BREATHING)
def test_words_for_breath(text: str) -> None:
    assert breathes(text, "en")
    assert not breathes("Lift your leg, and lower it.", "en")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Siente cómo pesa tu cuerpo.", set()),
        ("La banda de músculo trabaja.", set()),
        ("La pared del abdomen entra.", set()),
        ("Como si abrazaras una pelota.", set()),
        ("Sin pesas, despacio.", set()),
        ("Siéntate en una silla.", {"chair"}),
        ("Coge una pesa.", {"weight"}),
        ("Aprieta el aro.", {"circle"}),
    ],
)
def test_things_in_spanish(text: str, asked: set[str]) -> None:
    assert set(things(text, "es")) == asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Quédate aquí.", False),
        ("Desde aquí, sube la pierna.", False),
        ("Mira hacia arriba.", False),
        ("Respira de esta manera.", False),
        ("Pon la mano aquí.", True),
        ("Mira mi rodilla.", True),
        ("Como ves, es fácil.", True),
    ],
)
def test_pointing_in_spanish(text: str, told: bool) -> None:
    assert bool(seen(text, ("es",))) is told


def test_things_are_listed_in_other_words_too() -> None:
    needs = ("a small circle", "yoga mat", "two weights", "resistance band", "a free wall")
    assert listed(needs, "en") >= {"circle", "mat", "weight", "band", "wall"}
