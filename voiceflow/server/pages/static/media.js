// The Media Session: controls on the lock screen, headset and watch.

export class Media {
  /** @param acts {play, pause, previous, next, by(ms), to(ms)} */
  constructor(render, acts) {
    this.session = navigator.mediaSession;
    this.render = render;
    if (!this.session) return;
    const far = (details) => (details.seekOffset ?? 15) * 1000;
    const handlers = {
      play: acts.play,
      pause: acts.pause,
      stop: acts.pause,
      previoustrack: acts.previous,
      nexttrack: acts.next,
      seekbackward: (details) => acts.by(-far(details)),
      seekforward: (details) => acts.by(far(details)),
      seekto: (details) => acts.to(details.seekTime * 1000),
    };
    for (const [name, act] of Object.entries(handlers)) {
      try {
        this.session.setActionHandler(name, act);
      } catch {
        // This browser has no such key.
      }
    }
  }

  /** Say what plays: the session as title, the exercise where players show the artist. */
  tell(exercise, chapters) {
    if (!this.session || !("MediaMetadata" in window)) return;
    const { title, cover } = this.render;
    const artwork = cover ? [{ src: new URL(cover, location.href).href, sizes: "1000x1000", type: "image/jpeg" }] : [];
    this.session.metadata = new MediaMetadata({
      title,
      artist: exercise,
      album: "voiceflow",
      artwork,
      chapterInfo: chapters.map((one) => ({ title: one.title, startTime: one.start / 1000 })),
    });
  }

  place(atMs, lengthMs, playing) {
    if (!this.session) return;
    this.session.playbackState = playing ? "playing" : "paused";
    const duration = lengthMs / 1000;
    const position = Math.min(Math.max(0, atMs / 1000), duration);
    this.session.setPositionState?.({ duration, position, playbackRate: 1 });
  }
}
