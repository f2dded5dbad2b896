// A keyboard-wedge reader types a stripe as if it were a very fast person. Its keystrokes are collected here and nowhere else:
// they never reach a field, a key of the terminal, the page or its storage.

const SILENCE = 250; // milliseconds after which a stripe has ended
const LONGEST = 512; // characters; no card has more than 226

// Readers send the scan codes of a US keyboard, whatever layout the computer has: what counts is where a key is.
const PLAIN = "`1234567890-=[]\\;',./ ";
const SHIFTED = "~!@#$%^&*()_+{}|:\"<>? ";
const PLACES = ["Backquote", ...[..."1234567890"].map((digit) => `Digit${digit}`), "Minus", "Equal", "BracketLeft", "BracketRight", "Backslash",
  "Semicolon", "Quote", "Comma", "Period", "Slash", "Space"];

/** The character that a keystroke stands for on a US keyboard, or "" if it is none. */
export function character(event) {
  const [plain, shifted] = pair(event.code);
  const capitals = event.getModifierState("CapsLock");
  if (!plain) return !event.code && event.key.length === 1 ? event.key : "";
  if (!capitals && (event.key === plain || event.key === shifted)) return event.key;
  return event.shiftKey ? shifted : plain;
}

/** What a key has on it on a US keyboard, without and with the shift key; nothing if it writes nothing. */
function pair(code) {
  const place = PLACES.indexOf(code);
  if (place >= 0) return [PLAIN[place], SHIFTED[place]];
  const letter = /^Key(?<name>[A-Z])$/.exec(code)?.groups.name ?? "";
  return [letter.toLowerCase(), letter];
}

/** Makes a collector: `take(event)` says whether a keystroke belongs to a stripe; `swipe(stripe)` is called with each whole one. */
export function wedge(swipe) {
  let collected = null;
  let timer = 0;

  function finish() {
    clearTimeout(timer);
    const stripe = collected;
    collected = null;
    if (stripe) swipe(stripe);
  }

  return function take(event) {
    const typed = event.ctrlKey || event.altKey || event.metaKey ? "" : character(event);
    if (collected === null && typed !== "%" && typed !== ";") return false;
    collected ??= "";
    if (event.key === "Enter") {
      finish();
      return true;
    }
    if (collected.length < LONGEST) collected += typed;
    clearTimeout(timer);
    timer = setTimeout(finish, SILENCE);
    return true;
  };
}
