// Measures the page as it stands: what scrolls, what is cut off, how large keys are, and what is not readable enough.
() => {
  const seen = (node) => {
    const box = node.getBoundingClientRect();
    return node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && box.width > 1 && box.height > 1;
  };
  const name = (node) => `${node.tagName.toLowerCase()}${node.id && `#${node.id}`}.${node.className.baseVal ?? node.className} ${node.textContent.trim().slice(0, 20)}`;

  const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text, below = "#fff") => {
    painter.fillStyle = below;
    painter.fillRect(0, 0, 1, 1);
    painter.fillStyle = text;
    painter.fillRect(0, 0, 1, 1);
    return [...painter.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const light = (parts) => {
    const [red, green, blue] = parts.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05);
  const ground = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
    return layers.reduce((below, layer) => `rgb(${colour(layer, below)})`, "#fff");
  };
  const poor = (nodes, least) => nodes
    .map((node) => [name(node), ratio(colour(getComputedStyle(node).color, ground(node)), colour(ground(node)))])
    .filter(([, value]) => value < least)
    .map(([node, value]) => `${node}: ${value.toFixed(2)}`);

  const texts = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (walker.currentNode.textContent.trim() && seen(walker.currentNode.parentElement)) texts.add(walker.currentNode.parentElement);

  const page = document.scrollingElement;
  const keys = [...document.querySelectorAll(".key, .choice")].filter(seen).map((node) => node.getBoundingClientRect());
  const apart = (one, other) => Math.max(one.left - other.right, other.left - one.right, one.top - other.bottom, other.top - one.bottom);
  const headline = document.getElementById("headline");
  const stage = document.getElementById("stage").getBoundingClientRect();
  const style = getComputedStyle(headline);
  return {
    scrolls: [page, document.body, document.querySelector(".counter"), document.querySelector(".body"), document.getElementById("stage")]
      .filter((node) => node.scrollHeight > node.clientHeight + 1 || node.scrollWidth > node.clientWidth + 1).map(name),
    cut: [...document.querySelectorAll("#stage > *, .key, .choice, .strip > *")].filter(seen)
      .filter((node) => {
        const box = node.getBoundingClientRect();
        const limit = node.closest("#stage") ? stage : { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
        const spills = !/say long|reading|nickname/.test(`${node.className} ${node.id}`) && node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0;
        return spills || box.left < limit.left - 1 || box.right > limit.right + 1 || box.top < limit.top - 1 || box.bottom > limit.bottom + 1;
      }).map(name),
    headlineLines: Math.round(headline.getBoundingClientRect().height / parseFloat(style.lineHeight)),
    headlineSize: parseFloat(style.fontSize),
    smallest: Math.min(...keys.map((box) => Math.min(box.width, box.height))),
    nearest: Math.min(...keys.flatMap((one, at) => keys.slice(at + 1).map((other) => apart(one, other)))),
    text: poor([...texts], 7),
    glyphs: poor([...document.querySelectorAll(".key > svg")], 4.5),
  };
}
