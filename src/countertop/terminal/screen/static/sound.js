// Tones, made here so that nothing has to be loaded: a card taken, a card refused, a key.

import { recall, remember } from "./memory.js";

const CUES = {
  TAKEN: [{ at: 0, hertz: 880, seconds: 0.08 }],
  REFUSED: [0, 0.16, 0.32].map((at) => ({ at, hertz: 330, seconds: 0.1 })),
  KEY: [{ at: 0, hertz: 1400, seconds: 0.012 }],
};
const LOUDNESS = { TAKEN: 0.2, REFUSED: 0.25, KEY: 0.05 };
const EDGE = 0.004; // seconds a tone takes to rise and to fall, so that it does not click

let context = null;
let muted = recall("muted") === "yes";
let heard = null; // the count of the last cue that was played

export const isMuted = () => muted;

/** Switches sounds off or on, and remembers it. */
export function mute(off) {
  muted = off;
  remember("muted", off ? "yes" : "no");
}

/** Plays a cue by name, unless muted. */
export function play(cue) {
  if (muted || !CUES[cue]) return;
  document.dispatchEvent(new CustomEvent("countertop:sound", { detail: cue }));
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  for (const tone of CUES[cue]) sing(tone, LOUDNESS[cue]);
}

/** Plays the sound of a view once: when its count has grown since the last one seen. */
export function follow(sound) {
  const count = sound?.count ?? 0;
  if (heard !== null && count > heard) play(sound.cue);
  heard = count;
}

function sing({ at, hertz, seconds }, loudness) {
  const begin = context.currentTime + at;
  const tone = new OscillatorNode(context, { frequency: hertz, type: hertz < 500 ? "triangle" : "sine" });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, begin);
  volume.gain.linearRampToValueAtTime(loudness, begin + EDGE);
  volume.gain.setValueAtTime(loudness, begin + seconds - EDGE);
  volume.gain.linearRampToValueAtTime(0, begin + seconds);
  tone.connect(volume).connect(context.destination);
  tone.start(begin);
  tone.stop(begin + seconds);
}
