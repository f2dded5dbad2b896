// The pad of a receipt that is signed from afar: strokes of a finger, a pen or a mouse, in a field of 1000 × 400.

const WIDE = 1000;
const HIGH = 400;
const STEP = 4; // units between two points that are worth keeping
const MOST = 4000; // points of a signature

const canvas = document.querySelector("canvas");
const form = document.querySelector("form");
const [clear, send] = form.querySelectorAll("button");
let strokes = [];
let pen = null;

function point(event) {
  const box = canvas.getBoundingClientRect();
  const within = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
  return [within((event.clientX - box.left) / box.width, WIDE), within((event.clientY - box.top) / box.height, HIGH)];
}

function draw() {
  const scale = (canvas.width = canvas.clientWidth * devicePixelRatio) / WIDE;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const brush = canvas.getContext("2d");
  brush.scale(scale, scale);
  brush.lineWidth = 7;
  brush.lineCap = brush.lineJoin = "round";
  brush.strokeStyle = getComputedStyle(canvas).color;
  for (const [first, ...others] of strokes) {
    brush.beginPath();
    brush.moveTo(...first);
    for (const each of others.length ? others : [first]) brush.lineTo(...each);
    brush.stroke();
  }
  clear.disabled = send.disabled = strokes.length === 0;
}

canvas.addEventListener("pointerdown", (event) => {
  if (pen !== null || event.button !== 0) return;
  event.preventDefault();
  pen = event.pointerId;
  canvas.setPointerCapture(pen);
  strokes.push([point(event)]);
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pen) return;
  const stroke = strokes.at(-1);
  for (const each of event.getCoalescedEvents?.() ?? [event]) {
    const [x, y] = point(each);
    const [lastX, lastY] = stroke.at(-1);
    const many = strokes.reduce((count, one) => count + one.length, 0);
    if (Math.hypot(x - lastX, y - lastY) >= STEP && many < MOST) stroke.push([x, y]);
  }
  draw();
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => { if (event.pointerId === pen) pen = null; });
}
clear.addEventListener("click", () => { strokes = []; draw(); });
form.addEventListener("submit", (event) => {
  if (form.inert) event.preventDefault(); // it is on its way
  form.elements.signature.value = JSON.stringify(strokes);
  form.inert = true;
});
addEventListener("pageshow", () => { form.inert = false; });
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
