// The pad: takes strokes of a finger, a pen or a mouse in the terminal's own units and draws them.

const WIDE = 1000;
const HIGH = 400;
const STEP = 4; // units between two points that are worth keeping
const MOST = 4000; // points of a signature; the machine takes no more
const THICK = 7; // units

/** Makes the pad of a node with a canvas. `drawn(strokes)` is called with all strokes whenever the pen is lifted. */
export function signature(node, drawn) {
  const canvas = node.querySelector("canvas");
  let strokes = [];
  let stroke = null;
  let pen = null;

  const points = () => strokes.reduce((count, each) => count + each.length, 0);

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
    brush.lineWidth = THICK;
    brush.lineCap = brush.lineJoin = "round";
    brush.strokeStyle = brush.fillStyle = getComputedStyle(node).color;
    for (const each of stroke ? [...strokes, stroke] : strokes) trace(brush, each);
  }

  node.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0) return;
    event.preventDefault();
    pen = event.pointerId;
    node.setPointerCapture(pen);
    stroke = [point(event)];
    draw();
  });
  node.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) extend(point(each));
    draw();
  });
  const lift = (event) => {
    if (event.pointerId !== pen) return;
    pen = null;
    strokes = [...strokes, stroke];
    stroke = null;
    drawn(strokes);
  };
  node.addEventListener("pointerup", lift);
  node.addEventListener("pointercancel", lift);

  function extend([x, y]) {
    const [lastX, lastY] = stroke.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= STEP && points() + stroke.length < MOST) stroke.push([x, y]);
  }

  new ResizeObserver(() => { if (!node.hidden) draw(); }).observe(node);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    /** Shows what the machine holds, unless somebody is writing. */
    show(held) {
      if (pen !== null) return;
      strokes = held;
      draw();
    },
  };
}

function trace(brush, points) {
  brush.beginPath();
  if (points.length === 1) {
    brush.arc(...points[0], THICK / 2, 0, 2 * Math.PI);
    brush.fill();
    return;
  }
  brush.moveTo(...points[0]);
  for (let at = 1; at < points.length - 1; at += 1) {
    const [x, y] = points[at];
    const [nextX, nextY] = points[at + 1];
    brush.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  brush.lineTo(...points.at(-1));
  brush.stroke();
}
