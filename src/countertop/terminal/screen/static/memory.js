// What this browser remembers between visits: the mute switch and the language, nothing else.

/** A remembered value, or null: also where a browser remembers nothing for us. */
export function recall(name) {
  try {
    return localStorage.getItem(`countertop.${name}`);
  } catch {
    return null;
  }
}

/** Remembers a value where the browser allows it. */
export function remember(name, value) {
  try {
    localStorage.setItem(`countertop.${name}`, value);
  } catch {
    // A browser that keeps nothing still works; it only forgets.
  }
}
