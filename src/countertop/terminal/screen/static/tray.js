// The bench of a test server: cards that can be swiped, and a log of the frames that were said.
// What is on a card the server knows; the page only names it. A stripe typed by hand goes straight into the link.

import { spoken, word, write } from "./words.js";

const PAYING = ["TIP", "PRESENT_CARD", "KEYED_CARD", "PROCESSING", "APPROVED", "DECLINED", "RECEIPT"];
const READING = ["SWIPE_CARD", "SWIPE_AGAIN", "CARD_NOT_SUPPORTED", "PRESENT_CARD"];
const ENOUGH = 0.5; // the part of the slot that a card has to travel to be read
const REACH = 70; // pixels from the slot within which a card slips into it
const LONGEST_LOG = 200;

const $ = (id) => document.getElementById(id);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Puts the bench on the page. `say(message)` is called for each swipe: of a card by its name, of one's own by its stripe. */
export function bench(say) {
  document.querySelector(".counter").append($("bench").content.cloneNode(true));
  write(document);
  const slot = $("slot");
  let screen = "";
  let refused = false; // the last card was swiped while none was asked for
  let paying = null; // the payment that is on the screen: its cards lie in the tray

  function send(message) {
    refused = !READING.includes(screen);
    if (refused) $("last").textContent = word("notAsked");
    say(message);
    close();
  }

  const own = $("own-stripe");
  const swipeOwn = () => {
    if (own.value) send({ stripe: own.value });
    own.value = "";
  };
  $("own-swipe").addEventListener("click", swipeOwn);
  own.addEventListener("keydown", (event) => { if (event.key === "Enter") swipeOwn(); });
  const close = sheet();

  return {
    /** Lays out the cards: each a name, a style, a title and a note in each language, and what it can be used for. */
    lay(cards) {
      $("card-list").replaceChildren(...cards.map((card) => entry(card, slot, send)));
      sort(paying !== null);
    },
    /** Writes the cards' names in the language that is spoken now. */
    name() {
      for (const node of document.querySelectorAll(".card [data-en]")) node.textContent = node.dataset[spoken()];
    },
    /** Follows the view: what became of the last swipe, and whether a card is asked for. */
    follow(view) {
      screen = view.screen;
      if (PAYING.includes(screen)) paying = view.request_id ?? paying;
      else if (view.request_id !== paying) paying = null;
      sort(paying !== null);
      if (READING.includes(screen)) refused = false;
      $("last").textContent = refused ? word("notAsked") : `${word("last")}: ${word(view.last_swipe ?? "none")}`;
    },
    log,
    /** Begins the log anew: the server says again what it remembers. */
    clear() {
      $("frames").replaceChildren();
    },
  };
}

/** Lays out the cards for what the terminal asks: gift cards and the like, or payment cards and how to present them. */
function sort(paying) {
  const use = paying ? "payment" : "read";
  for (const node of document.querySelectorAll("#card-list > [data-uses]")) node.hidden = !node.dataset.uses.split(" ").includes(use);
  $("manner").hidden = !paying;
  $("direction").hidden = paying;
  $("tray-hint").dataset.word = paying ? "payHint" : "trayHint";
  write($("tray-hint").parentNode);
}

/** How a click presents a card: a payment card in the way that is chosen, any other by its stripe. */
const manner = () => ($("manner").hidden ? "SWIPE" : document.querySelector("[name=entry]:checked").value);

/** On a narrow page the bench is a sheet; the key in the fourth corner opens it. Gives what closes it. */
function sheet() {
  const node = document.querySelector(".bench");
  const key = $("cards");
  key.hidden = false;
  const close = () => {
    if (!node.classList.contains("open")) return;
    node.classList.remove("open");
    key.setAttribute("aria-expanded", "false");
    if (node.contains(document.activeElement)) key.focus();
  };
  key.addEventListener("click", () => {
    node.classList.add("open");
    key.setAttribute("aria-expanded", "true");
    $("away").focus();
  });
  $("away").addEventListener("click", close);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !node.classList.contains("open")) return;
    event.stopPropagation();
    close();
  });
  document.addEventListener("pointerdown", (event) => { if (!node.contains(event.target)) close(); });
  return close;
}

function entry(card, slot, send) {
  const item = document.createElement("li");
  item.dataset.uses = card.uses.join(" ");
  const node = document.createElement("button");
  node.type = "button";
  node.className = `card ${card.style}`;
  node.dataset.card = card.name;
  for (const [tag, words] of [["strong", card.title], ["small", card.note]]) {
    const text = document.createElement(tag);
    Object.assign(text.dataset, words);
    text.textContent = words[spoken()];
    node.append(text);
  }
  const swiped = () => send({ card: card.name });
  node.addEventListener("click", () => {
    if (node.dataset.dragged) return;
    if (manner() === "SWIPE") slide(node, slot).then(swiped);
    else send({ card: card.name, entry: manner() });
  });
  node.addEventListener("pointerdown", (event) => {
    delete node.dataset.dragged;
    if (event.button === 0 && slot.offsetParent) drag(event, node, slot, swiped);
  });
  item.append(node);
  return item;
}

/** A click: the card runs through the slot by itself, in the direction that is chosen. */
async function slide(node, slot) {
  if (still() || !slot.offsetParent) return;
  const groove = slot.getBoundingClientRect();
  const ghost = lift(node);
  ghost.classList.add("inside");
  const back = document.querySelector("[name=direction]:checked").value === "backwards";
  const at = (part) => ({ transform: stand(groove.left + groove.width / 2, groove.top + groove.height * part) });
  await ghost.animate(back ? [at(0.95), at(0.05)] : [at(0.05), at(0.95)], { duration: 190, easing: "ease-in-out" }).finished;
  ghost.remove();
}

/** A drag: near the slot the card turns and slips into it; far enough along it, down or up, it has been swiped. */
function drag(down, node, slot, swiped) {
  const groove = slot.getBoundingClientRect();
  const middle = groove.left + groove.width / 2;
  let ghost = null;
  let entered = null;

  function move(event) {
    if (!ghost && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) return;
    ghost ??= lift(node);
    node.dataset.dragged = "yes";
    node.classList.add("held");
    const inside = Math.abs(event.clientX - middle) < REACH && event.clientY > groove.top - REACH && event.clientY < groove.bottom + REACH;
    slot.classList.toggle("near", inside);
    ghost.classList.toggle("inside", inside);
    ghost.style.setProperty("transform", inside ? stand(middle, event.clientY) : lie(event.clientX, event.clientY));
    entered = inside ? entered ?? event.clientY : null;
    if (inside && Math.abs(event.clientY - entered) > groove.height * ENOUGH) {
      stop();
      swiped();
    }
  }

  function stop() {
    ghost?.remove();
    node.classList.remove("held");
    slot.classList.remove("near");
    for (const name of ["pointermove", "pointerup", "pointercancel"]) removeEventListener(name, name === "pointermove" ? move : stop);
  }

  addEventListener("pointermove", move);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

/** A copy of a card that can be moved about; it is no part of what can be read or pressed. */
function lift(node) {
  const ghost = node.cloneNode(true);
  ghost.classList.add("ghost");
  ghost.setAttribute("aria-hidden", "true");
  ghost.setAttribute("tabindex", "-1");
  ghost.style.setProperty("width", `${node.offsetWidth}px`);
  document.body.append(ghost);
  return ghost;
}

const lie = (x, y) => `translate(${x}px, ${y}px) translate(-50%, -50%) rotate(-4deg)`;
const stand = (x, y) => `translate(${x}px, ${y}px) translate(-50%, -50%) rotate(-90deg) translateY(26%)`;

/** One line of the log: when, which way, what was said, about which request. */
function log({ way, frame, request_id: request, detail }) {
  const line = document.createElement("li");
  const now = new Date();
  line.append(
    Object.assign(document.createElement("time"), { textContent: now.toTimeString().slice(0, 8) }),
    Object.assign(document.createElement("span"), { textContent: way === "in" ? "↓" : "↑", title: word(way) }),
    Object.assign(document.createElement("b"), { textContent: frame }),
    Object.assign(document.createElement("code"), { textContent: [detail, request?.slice(-12)].filter(Boolean).join(" · ") }),
  );
  const list = $("frames");
  list.append(line);
  while (list.children.length > LONGEST_LOG) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}
