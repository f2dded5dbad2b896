// The display: draws a view. It knows how a thing looks, never what it means.

import { signature } from "./signature.js";
import { spoken, word } from "./words.js";

const DRAWINGS = {
  loading: "wait", unknown: "unknown", IDLE: "welcome", SWIPE_CARD: "swipe", SWIPE_AGAIN: "again", CARD_NOT_SUPPORTED: "unsupported",
  CARD_READ: "thanks", CANCELLED: "cancelled", PROMPT: "hand", INPUT: "phone", SIGNATURE: "pen", PRESENT_CARD: "present", KEYED_CARD: "keyed",
  TIP: "tip", PROCESSING: "wait", APPROVED: "thanks", DECLINED: "declined", RECEIPT: "receipt", PAIRING: "phone", OFFLINE: "unplugged",
};
const TONES = { SWIPE_AGAIN: "bad", CARD_NOT_SUPPORTED: "bad", DECLINED: "bad", unknown: "bad", CARD_READ: "good", APPROVED: "good" };
const LONG = 60; // characters of a prompt from which it is set as a text and not as a headline
const AMOUNT = /^(?<sign>-?)(?<currency>[$€£])(?<value>[\d.,]+)$/u;
const BEAT = 250; // milliseconds between two steps of the deadline's bar

const $ = (id) => document.getElementById(id);

/** Makes the display. `press(key)` is called for a choice, `drawn(strokes)` for the pad. */
export function display({ press, drawn }) {
  const root = document.documentElement;
  const pad = signature($("pad"), drawn);
  let shown = {};
  let ends = null;

  $("choices").addEventListener("pointerdown", (event) => event.preventDefault());
  $("choices").addEventListener("click", (event) => {
    const choice = event.target.closest("[data-key]");
    if (choice) press(choice.dataset.key);
  });
  $("stage").addEventListener("animationend", (event) => { if (event.target.parentNode === $("stage")) $("stage").classList.remove("new"); });
  for (const node of [$("say"), $("reading")]) node.addEventListener("scroll", () => hint(node), { passive: true });
  new ResizeObserver(() => [$("say"), $("reading")].forEach(hint)).observe($("stage"));
  setInterval(beat, BEAT);
  setInterval(tell, 1000);
  matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", beat);

  function show(view) {
    const fresh = view.screen !== shown.screen || view.request_id !== shown.request_id;
    root.dataset.view = view.screen;
    root.dataset.tone = TONES[view.screen] ?? "plain";
    root.dataset.online = view.online ? "yes" : "no";
    $("say").setAttribute("aria-live", TONES[view.screen] === "bad" ? "assertive" : "polite");
    strip(view);
    $("drawing").setAttribute("href", `#d-${DRAWINGS[view.screen] ?? "wait"}`);
    words(view);
    choices(view.buttons ?? []);
    picture(view.pairing);
    sign(view, fresh);
    ends = view.remaining === null || view.remaining === undefined ? null : { at: performance.now() + view.remaining, span: view.allowed || 1 };
    beat();
    if (fresh) settle();
    [$("say"), $("reading")].forEach(hint);
    shown = view;
  }

  /** A new screen begins at its top and arrives with a short movement. */
  function settle() {
    $("say").scrollTop = $("reading").scrollTop = 0;
    $("stage").classList.remove("new");
    void $("stage").offsetWidth; // lets the same movement begin again
    $("stage").classList.add("new");
  }

  function sign(view, fresh) {
    const held = view.strokes ?? null;
    $("pad").hidden = held === null;
    if (held === null) return;
    $("pad").setAttribute("aria-label", `${word("pad")}, ${word(held.length ? "padSigned" : "padEmpty")}`);
    if (fresh || JSON.stringify(held) !== JSON.stringify(shown.strokes)) pad.show(held);
  }

  function beat() {
    const left = ends === null ? 0 : Math.max(0, ends.at - performance.now()) / ends.span;
    $("deadline").classList.toggle("idle", ends === null);
    $("deadline").firstElementChild.style.setProperty("transform", `scaleX(${Math.min(1, left).toFixed(4)})`);
  }

  tell();
  return { show };
}

/** The letters by which a keyboard chooses among the buttons shown: the first of each label that is still free. */
export function letters() {
  const taken = new Set();
  return [...$("choices").children].map((node) => {
    const letter = [...node.firstChild.textContent.toLowerCase()].find((each) => /\p{Letter}/u.test(each) && !taken.has(each)) ?? "";
    taken.add(letter);
    return { key: node.dataset.key, letter };
  });
}

/** Says by its looks that a text goes on below. */
function hint(node) {
  node.classList.toggle("more", node.scrollHeight - node.clientHeight - node.scrollTop > 4);
}

function strip(view) {
  write($("nickname"), view.nick_name ?? "");
  write($("online"), word(view.online ? "online" : "offline"));
  $("ribbon").hidden = view.server !== "test";
  document.title = view.nick_name ? `${view.nick_name} · Terminal` : "Terminal";
}

function tell() {
  const now = new Date();
  write($("clock"), now.toLocaleTimeString(spoken(), { hour: "numeric", minute: "2-digit" }));
  $("clock").dateTime = now.toTimeString().slice(0, 5);
}

function words(view) {
  const [headline, second, reading] = parts(view);
  const long = view.screen === "PROMPT" && headline.length > LONG;
  amount($("headline"), headline);
  amount($("second"), second);
  $("second").classList.toggle("entry", view.entry !== null && view.entry !== undefined);
  $("second").style.setProperty("--letters", second.length);
  $("say").classList.toggle("long", long);
  region($("say"), long ? word("terms") : null);
  write($("reading"), reading);
  $("reading").hidden = !reading;
  $("reading").setAttribute("aria-label", word("terms"));
}

/** What of a view's text goes where: headline, second line, and a text to read. */
function parts(view) {
  const lines = view.lines ?? [];
  if (view.strokes) return [view.headline, "", lines.join("\n")];
  if (view.entry !== null && view.entry !== undefined) return [view.headline, view.entry || "\u00a0", ""];
  return [view.headline, lines.join("\n"), ""];
}

/** Makes a node that scrolls reachable by keyboard, under a name; without one it is plain text again. */
function region(node, name) {
  const attributes = { role: "region", tabindex: "0", "aria-label": name };
  for (const [key, value] of Object.entries(attributes)) {
    if (name) node.setAttribute(key, value);
    else node.removeAttribute(key);
  }
}

/** An amount stands alone with its currency small and raised; anything else is text. */
function amount(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  const { currency, value, sign } = AMOUNT.exec(text)?.groups ?? {};
  node.classList.toggle("amount", Boolean(value));
  if (!value) return void (node.textContent = text);
  const raised = document.createElement("sup");
  raised.textContent = currency;
  node.replaceChildren(sign, raised, value);
}

function choices(buttons) {
  const wanted = JSON.stringify(buttons);
  const group = $("choices");
  group.setAttribute("aria-label", word("buttons"));
  group.hidden = buttons.length === 0;
  if (group.dataset.made === wanted) return;
  group.dataset.made = wanted;
  group.dataset.count = buttons.length;
  group.replaceChildren(...buttons.map(choice));
  for (const [at, { letter }] of letters().entries()) if (letter) group.children[at].setAttribute("aria-keyshortcuts", letter.toUpperCase());
}

function choice({ key, label, detail }) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "choice";
  node.dataset.key = key;
  node.append(label);
  if (detail) node.append(Object.assign(document.createElement("small"), { textContent: detail }));
  return node;
}

/** The QR picture: of what came only its paths are drawn, into a picture of our own. */
function picture(pairing) {
  const node = $("qr");
  node.toggleAttribute("hidden", !pairing);
  if (!pairing || node.dataset.code === pairing.code) return;
  node.dataset.code = pairing.code;
  node.setAttribute("aria-label", word("qr"));
  const source = pairing.picture;
  node.setAttribute("viewBox", attribute(source, "viewBox") ?? `0 0 ${parseFloat(attribute(source, "width"))} ${parseFloat(attribute(source, "height"))}`);
  node.replaceChildren(...(source.match(/<path\b[^>]*>/g) ?? []).map(copy));
}

const attribute = (tag, name) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];

function copy(tag) {
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const name of ["d", "transform"]) if (attribute(tag, name)) path.setAttribute(name, attribute(tag, name));
  path.classList.add(attribute(tag, "stroke") ? "lines" : "areas");
  return path;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
