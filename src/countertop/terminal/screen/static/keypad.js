// Keys: those of the keypad, the choices on the display, and a real keyboard that stands for both.

const NAMED = { Escape: "CANCEL", Backspace: "CLEAR", Enter: "ENTER" };
const LIT = 120; // milliseconds a key looks pressed that was pressed on a keyboard
const SHEET = ".bench.open"; // has keys of its own while it lies over the terminal
const OPERABLE = "button, input, a, summary, select, textarea, [role=region][tabindex]";

/** Watches the keypad: `press(key)` is called with the name of each key pressed. */
export function keypad(root, press) {
  const keys = new Map([...root.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node]));
  // A key that was touched does not keep the focus, or the keyboard's Enter would press it again.
  root.addEventListener("pointerdown", (event) => event.preventDefault());
  root.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key) press(key.dataset.key);
  });

  return {
    /** Lights the keys that act. */
    light(acting) {
      for (const [name, node] of keys) {
        node.classList.toggle("acts", acting.includes(name));
        node.setAttribute("aria-disabled", String(!acting.includes(name)));
      }
    },
    /** Names the keys that have no digit on them. */
    name(words) {
      for (const [name, text] of Object.entries(words)) keys.get(name).setAttribute("aria-label", text);
    },
    /** Shows that a key was pressed elsewhere. */
    flash(name) {
      flash(keys.get(name) ?? document.querySelector(`.choice[data-key="${CSS.escape(name)}"]`));
    },
  };
}

/** Makes the keyboard stand for the keys. `choices()` gives the present buttons as [{key, letter}]; `take(event)` takes swipes first. */
export function keyboard({ take, press, flash, choices }) {
  document.addEventListener("keydown", (event) => {
    const field = event.target.matches?.("input[type=text], textarea");
    if (!field && take(event)) {
      event.preventDefault();
      return;
    }
    if (event.target.closest?.(SHEET)) return;
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = named(event, field, choices());
    if (!key) return;
    event.preventDefault();
    flash(key);
    press(key);
  }, true);
}

function named(event, field, choices) {
  if (field) return event.key === "Escape" ? "CANCEL" : null;
  if (event.key === "Enter" && event.target.matches?.(OPERABLE)) return null;
  if (NAMED[event.key]) return NAMED[event.key];
  if (/^[0-9]$/.test(event.key)) return event.key;
  const letter = event.key.toLowerCase();
  return choices.find((choice) => choice.letter === letter)?.key ?? null;
}

function flash(node) {
  if (!node) return;
  node.classList.add("pressed");
  setTimeout(() => node.classList.remove("pressed"), LIT);
}
