// The player: the audio element, and everything that follows it.

import { Breath } from "/static/breath.js";
import { keeping, wakefulness } from "/static/keep.js";
import { listen } from "/static/keys.js";
import { Media } from "/static/media.js";
import { recall, remember } from "/static/memory.js";
import { Pacing } from "/static/pacing.js";
import { Timeline } from "/static/score.js";
import { View } from "/static/view.js";
import { clock, say } from "/static/words.js";

const FAR_MS = 15000;
const at = (id) => document.getElementById(id);
const audio = at("audio");

let render = JSON.parse(at("player").dataset.render);
let timeline = new Timeline(await scored(render.score));
let saidChapter = -1;
let savedMs = 0;
let framed = 0;
let drawnMs = 0;

const breath = new Breath(at("breath"), at("phase"), render.language);
const view = new View(timeline, { to });
const pacing = new Pacing(render, say, () => view.next(chapterNow(), pacing.note));
const refreshKeeping = keeping(() => render);
const media = new Media(render, { play, pause, previous: previousOrAgain, next, by, to });

async function scored(address) {
  const answer = await fetch(address);
  if (!answer.ok) say("This session is no longer there. Open it again from the list of sessions.");
  return answer.json();
}

const nowMs = () => Math.min(audio.currentTime * 1000, timeline.length);
const chapterNow = () => timeline.chapterAt(nowMs());

// Moving about

function play() {
  at("end").hidden = true;
  document.body.classList.remove("ended");
  if (audio.error) reload();
  return audio.play().catch((error) => {
    if (error.name === "NotAllowedError") at("play").focus();
    else if (error.name !== "AbortError") say("It cannot be played. Is the server running?");
  });
}

/** Load the audio again after an error, at the same position. */
function reload() {
  const seconds = audio.currentTime || savedMs / 1000;
  audio.load();
  audio.currentTime = seconds;
}

function pause() {
  audio.pause();
}

function toggle() {
  return audio.paused ? play() : pause();
}

function to(ms) {
  audio.currentTime = Math.max(0, Math.min(ms, timeline.length - 200)) / 1000;
  follow();
}

function by(ms) {
  to(nowMs() + ms);
}

/** Go to the start of a chapter, and switch to a pending change of pace. */
function toChapter(index) {
  const goal = timeline.chapters[Math.max(0, index)];
  if (!goal) return;
  if (pacing.pending) takeUp(index);
  else to(goal.start);
}

function next() {
  if (chapterNow() + 1 < timeline.chapters.length) toChapter(chapterNow() + 1);
  else say("This is the last exercise.");
}

function previous() {
  toChapter(chapterNow() - 1);
}

function again() {
  toChapter(chapterNow());
}

/** A headset has one key for both. */
function previousOrAgain() {
  return nowMs() - timeline.chapters[chapterNow()].start > 5000 ? again() : previous();
}

/** Switch to the render with the new pace, at chapter `index`. */
function takeUp(index) {
  const fresh = new Timeline(pacing.pending.score);
  const { render: made } = pacing.take();
  const goal = timeline.same(index, fresh) ?? { start: made.resume_ms };
  const playing = !audio.paused;
  render = made;
  timeline = fresh;
  at("player").dataset.render = JSON.stringify(made);
  history.replaceState(null, "", made.player);
  saidChapter = -1;
  audio.src = made.mp3;
  audio.currentTime = goal.start / 1000;
  view.renew(timeline);
  refreshKeeping();
  if (playing) play();
  follow();
}

// Following the sound

function follow() {
  const ms = nowMs();
  const index = timeline.chapterAt(ms);
  if (index !== saidChapter) {
    const moved = saidChapter >= 0 && index === saidChapter + 1;
    if (moved && pacing.pending && !audio.paused) {
      takeUp(index);
      return;
    }
    changed(index);
  }
  view.show(ms, index);
  breath.draw(timeline.breathAt(ms));
}

function changed(index) {
  saidChapter = index;
  const here = timeline.chapters[index];
  view.chapter(index);
  view.next(index, pacing.note);
  media.tell(here.title, timeline.chapters);
  media.place(nowMs(), timeline.length, !audio.paused);
  document.title = `${here.title} · ${render.title}`;
}

function frame(at_ms) {
  // Thirty frames a second are smooth enough for a breath, and save battery.
  if (at_ms - drawnMs > 30) {
    drawnMs = at_ms;
    follow();
  }
  framed = audio.paused || document.hidden ? 0 : requestAnimationFrame(frame);
}

function wake() {
  if (!framed && !audio.paused && !document.hidden) framed = requestAnimationFrame(frame);
}

function save() {
  const ms = Math.round(nowMs());
  savedMs = ms;
  const note = { id: render.id, title: render.title, at_ms: ms, length_ms: timeline.length };
  if (audio.ended || ms > timeline.length - 5000) forget();
  else if (ms > 5000) {
    remember(`at.${render.id}`, note);
    remember("last", note);
  }
}

function forget() {
  remember(`at.${render.id}`, null);
  remember("last", null);
}

function state() {
  view.playing(!audio.paused);
  media.place(nowMs(), timeline.length, !audio.paused);
  wake();
}

audio.addEventListener("play", state);
audio.addEventListener("pause", () => (state(), save()));
audio.addEventListener("seeked", () => (follow(), state()));
audio.addEventListener("timeupdate", () => {
  follow(); // the frames stop when the screen is off; this does not
  if (Math.abs(nowMs() - savedMs) > 5000) save();
});
audio.addEventListener("waiting", () => view.waiting(true));
for (const name of ["playing", "pause", "error"]) audio.addEventListener(name, () => view.waiting(false));
audio.addEventListener("error", () => say("The sound stopped. Is the server running? Press play to try again."));
audio.addEventListener("ended", end);
document.addEventListener("visibilitychange", wake);
window.addEventListener("pagehide", save);

function end() {
  forget();
  view.playing(false);
  media.place(timeline.length, timeline.length, false);
  const count = timeline.exercises;
  const minutes = Math.max(1, Math.round(timeline.length / 60000));
  const many = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  at("summary").textContent = `${many(minutes, "minute")}, ${many(count, "exercise")}.`;
  at("end").hidden = false;
  document.body.classList.add("ended");
  at("well-done").focus();
}

function restart() {
  to(0);
  play();
  at("play").focus();
}

// The controls

const acts = {
  toggle,
  previous,
  next,
  again,
  back: () => by(-FAR_MS),
  forward: () => by(FAR_MS),
  slower: () => pacing.slower(nowMs()),
  faster: () => pacing.faster(nowMs()),
  talk: () => pacing.turnTalk(nowMs()),
};
const less = () => pacing.talk(1, nowMs());
const more = () => pacing.talk(-1, nowMs());
const buttons = { play: toggle, back: acts.back, forward: acts.forward, previous, again, following: next };
Object.assign(buttons, { slower: acts.slower, faster: acts.faster, less, talk: more, restart });
for (const [id, act] of Object.entries(buttons)) at(id).addEventListener("click", () => act());
at("seek").addEventListener("input", (event) => to(Number(event.target.value)));
for (const one of at("player").querySelectorAll(":disabled")) one.disabled = false;
listen(acts);
wakefulness();

// Continue at the last position

const left = recall(`at.${render.id}`, {}).at_ms ?? 0;
if (left > 10000 && left < timeline.length - 10000) {
  to(left - 3000);
  say(`Continuing at ${clock(left)}.`);
}
follow();
state();
if (location.hash === "#listen") {
  history.replaceState(null, "", location.pathname);
  play();
}
