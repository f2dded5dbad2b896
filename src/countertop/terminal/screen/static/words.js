// The page's own words. What a screen says comes with its view; only what there is no view for is said from here.

const WORDS = {
  en: {
    language: "Español", languageShort: "ES",
    device: "Terminal", keypad: "Keypad", bench: "Test bench",
    cancel: "Cancel", clear: "Clear", enter: "Enter",
    online: "Online", offline: "Offline", soundOn: "Sound", cardsKey: "Test cards", close: "Close",
    waitHeadline: "One moment, please", waitLine: "Connecting",
    unknownHeadline: "Unknown terminal", unknownLine: "There is no terminal at this address",
    buttons: "Your choice", terms: "Text to read", pad: "Signature pad: sign here with finger, pen or mouse", qr: "QR code of the code shown",
    padEmpty: "empty", padSigned: "signed",
    tray: "Test cards", trayHint: "Click a card, or drag it through the slot of the terminal.",
    payHint: "Click a card to present it, or drag it through the slot of the terminal to swipe it.",
    manner: "How the card is presented", insert: "Insert", tap: "Tap",
    direction: "Direction of the swipe", forwards: "Forwards", backwards: "Backwards",
    own: "Your own stripe, sentinels included", swipe: "Swipe",
    wedgeNote: "A USB keyboard-wedge reader works while this page has the focus. That is for testing: a counter where payment cards may be swiped wants “countertop terminal run” with a grabbed reader.",
    log: "Frames", noFrames: "Nothing has been said yet.",
    last: "Last swipe", none: "none yet", notAsked: "The terminal is not asking for a card now.",
    ACCEPT_F1: "accepted, format 1", ACCEPT_F2: "accepted, format 2", BAD_READ: "could not be read", NOT_ELIGIBLE: "not supported",
    FINANCIAL: "not supported, could be a payment card", UNRECOGNISED: "not a whole swipe",
    PAYMENT: "taken for the payment", CHIP_SWIPED: "has a chip, is to be inserted",
    in: "from the gateway", out: "to the gateway",
  },
  es: {
    language: "English", languageShort: "EN",
    device: "Terminal", keypad: "Teclado", bench: "Banco de pruebas",
    cancel: "Cancelar", clear: "Borrar", enter: "Aceptar",
    online: "En línea", offline: "Sin conexión", soundOn: "Sonido", cardsKey: "Tarjetas de prueba", close: "Cerrar",
    waitHeadline: "Un momento, por favor", waitLine: "Conectando",
    unknownHeadline: "Terminal desconocida", unknownLine: "No hay ninguna terminal en esta dirección",
    buttons: "Su elección", terms: "Texto para leer", pad: "Recuadro de firma: firme con el dedo, un lápiz o el ratón", qr: "Código QR del código mostrado",
    padEmpty: "vacío", padSigned: "firmado",
    tray: "Tarjetas de prueba", trayHint: "Pulse una tarjeta o deslícela por la ranura de la terminal.",
    payHint: "Pulse una tarjeta para presentarla o deslícela por la ranura de la terminal.",
    manner: "Cómo se presenta la tarjeta", insert: "Insertar", tap: "Acercar",
    direction: "Sentido del deslizamiento", forwards: "Adelante", backwards: "Atrás",
    own: "Su propia banda, con centinelas", swipe: "Deslizar",
    wedgeNote: "Un lector USB de tipo teclado funciona mientras esta página tiene el foco. Es solo para pruebas: un mostrador por el que puedan pasar tarjetas de pago necesita «countertop terminal run» con un lector reservado.",
    log: "Tramas", noFrames: "Todavía no se ha dicho nada.",
    last: "Última tarjeta", none: "ninguna todavía", notAsked: "La terminal no pide una tarjeta ahora.",
    ACCEPT_F1: "aceptada, formato 1", ACCEPT_F2: "aceptada, formato 2", BAD_READ: "no se pudo leer", NOT_ELIGIBLE: "no admitida",
    FINANCIAL: "no admitida, podría ser de pago", UNRECOGNISED: "deslizamiento incompleto",
    PAYMENT: "aceptada para el pago", CHIP_SWIPED: "tiene chip, hay que insertarla",
    in: "de la pasarela", out: "a la pasarela",
  },
};

export const LANGUAGES = Object.keys(WORDS);

let language = "en";

/** The language the page speaks now: "en" or "es". */
export const spoken = () => language;

/** The other one, which the language key switches to. */
export const other = () => (language === "en" ? "es" : "en");

/** One of the page's own words in the language it speaks now. */
export const word = (name) => WORDS[language][name] ?? name;

/** Speaks another language from now on: writes every word that is marked in the page anew. */
export function speak(next) {
  language = next;
  document.documentElement.lang = next;
  write(document);
}

/** Writes the marked words below a node: `data-word` is its text, `data-label` its accessible name. */
export function write(root) {
  for (const node of root.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", word(node.dataset.label));
}
