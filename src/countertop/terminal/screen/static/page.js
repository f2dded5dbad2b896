// The page: joins display, keys, sounds and bench with the link. It decides nothing; the machine at the other end does.

import { display, letters } from "./display.js";
import { keyboard, keypad } from "./keypad.js";
import { link } from "./link.js";
import { recall, remember } from "./memory.js";
import { follow, isMuted, mute, play } from "./sound.js";
import { bench } from "./tray.js";
import { wedge } from "./wedge.js";
import { LANGUAGES, other, speak, spoken, word, write } from "./words.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const query = new URLSearchParams(location.search);

let channel = { say() {} };
let view = null; // the last one that came; null before the first
let linked = false;

const press = (key) => {
  if (view?.keys.includes(key)) play("KEY");
  channel.say({ key });
};
const swipe = (stripe) => channel.say({ stripe });

const screen = display({ press, drawn: (strokes) => channel.say({ signature: strokes }) });
const keys = keypad($("keypad"), press);

/** Draws what there is: the view, or that there is none. */
function draw() {
  keys.name({ CANCEL: word("cancel"), CLEAR: word("clear"), ENTER: word("enter") });
  $("language").textContent = word("languageShort");
  $("language").setAttribute("aria-label", word("language"));
  $("language").lang = other();
  $("cards").setAttribute("aria-label", word("cardsKey"));
  $("sound").setAttribute("aria-label", word("soundOn"));
  $("sound").setAttribute("aria-pressed", String(!isMuted()));
  $("sound").querySelector("use").setAttribute("href", isMuted() ? "#g-muted" : "#g-sound");
  const shown = present();
  screen.show(shown);
  keys.light(shown.keys);
  trays?.name();
  trays?.follow(shown);
}

/** The view while the link is there; words of the page's own while it is not. */
function present() {
  if (root.dataset.known === "no") return own("unknown", word("unknownHeadline"), word("unknownLine"));
  if (linked && view) return view;
  return { ...own(view ? "OFFLINE" : "loading", word("waitHeadline"), word("waitLine")), nick_name: view?.nick_name, server: view?.server };
}

const own = (name, headline, line) => ({ screen: name, headline, lines: [line], buttons: [], keys: [], online: false });

/** Speaks another language, here and at the terminal. */
function choose(language) {
  remember("language", language);
  speak(language);
  channel.say({ language });
  draw();
}

const told = query.get("lang") ?? recall("language");
if (LANGUAGES.includes(told)) speak(told);
else if (navigator.language.startsWith("es")) speak("es");
if (query.has("kiosk")) {
  root.dataset.kiosk = query.get("kiosk") === "touch" ? "touch" : "plain";
  document.querySelector(".strip").append($("language"), $("sound"));
}
write(document);

const trays = root.dataset.tray === "yes" ? bench((message) => channel.say(message)) : null;

$("language").addEventListener("click", () => choose(other()));
$("sound").addEventListener("click", () => {
  mute(!isMuted());
  draw();
  play("KEY");
});
keyboard({ take: wedge(swipe), press, flash: keys.flash, choices: letters });
draw();

if (root.dataset.known === "yes") {
  channel = link({
    open() {
      linked = true;
      trays?.clear();
      if (LANGUAGES.includes(told)) channel.say({ language: spoken() });
    },
    lost() {
      linked = false;
      draw();
    },
    unknown() {
      root.dataset.known = "no";
      draw();
    },
    message({ view: next, frame, tray }) {
      if (tray) trays?.lay(tray);
      if (frame) trays?.log(frame);
      if (!next) return;
      view = next;
      if (view.language !== spoken() && LANGUAGES.includes(view.language)) speak(view.language);
      follow(view.sound);
      draw();
    },
  });
}
