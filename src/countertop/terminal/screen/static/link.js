// The link to the terminal's machine: one WebSocket that is opened again whenever it is lost.

const FIRST_WAIT = 250; // milliseconds; doubled after each failure
const LONGEST_WAIT = 5000;
const UNKNOWN = 4404; // the server's close code for a terminal that does not exist

/**
 * Opens the link of this page's terminal and keeps it open.
 * `on.message(object)` gets what the server says, `on.lost()` is called when the link is gone, `on.open()` when it is back,
 * `on.unknown()` when there is no such terminal and trying again is pointless.
 */
export function link(on) {
  const address = new URL(`${location.pathname.replace(/\/$/, "")}/link`, location);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  let socket = null;
  let failures = 0;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    socket = new WebSocket(address);
    socket.addEventListener("open", () => { failures = 0; on.open(); });
    socket.addEventListener("message", (event) => on.message(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (event.code === UNKNOWN) return on.unknown();
      on.lost();
      timer = setTimeout(open, wait(failures++));
      return undefined;
    });
  }

  // A laptop that wakes up, or a cable that is back: no reason to wait any longer.
  addEventListener("online", () => { if (socket.readyState === WebSocket.CLOSED) open(); });
  open();

  return {
    /** Says something if the link is there. What a customer does while it is not, is not kept: the screen says so. */
    say(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
  };
}

const wait = (failures) => Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT) * (0.75 + Math.random() / 2);
