// Two pictures that change while a model learns: its loss, and where its heads look.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const drawn = (name, attributes, ...children) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

// The smoothed loss over the steps of a training; levels: {name: loss} are drawn across.
class Curve {
  constructor(levels) {
    this.levels = Object.entries(levels);
    this.points = [];
    this.total = 1;
    this.svg = drawn("svg", { class: "chart live", role: "img" });
    this.draw();
  }
  add(step, total, loss) {
    this.total = total;
    this.points.push([step, loss]);
    this.draw();
  }
  draw() {
    const all = [...this.levels.map(([, loss]) => loss), ...this.points.map(([, loss]) => loss)];
    // As wide as its place, so that letters have their size on a phone too.
    const wide = Math.max(280, Math.min(600, this.svg.clientWidth || 600)), right = wide - 90;
    this.svg.setAttribute("viewBox", `0 0 ${wide} 230`);
    const low = Math.min(...all, 2.4) - 0.05, high = Math.max(...all, 2.7) + 0.05;
    const x = (step) => 40 + (step / this.total) * (right - 40);
    const y = (loss) => 10 + ((high - loss) / (high - low)) * 190;
    let under = 0; // words that would touch move down
    const parts = this.levels.toSorted((a, b) => b[1] - a[1]).flatMap(([name, loss]) => {
      under = Math.max(y(loss) + 4, under + 13);
      return [
        drawn("path", { d: `M40 ${y(loss)}H${right}`, class: "level" }),
        drawn("text", { x: right + 4, y: under, class: "right" }, `${name} ${loss}`),
      ];
    });
    const line = this.points.map(([step, loss]) => `${x(step)},${y(loss)}`).join(" ");
    parts.push(drawn("polyline", { points: line, class: "curve loss" }));
    for (const loss of [low, high])
      parts.push(drawn("text", { x: 34, y: y(loss) + 4, class: "mark" }, loss.toFixed(2)));
    parts.push(drawn("text", { x: (40 + right) / 2, y: 224 }, `${this.total.toLocaleString("en")} steps`));
    const last = this.points.at(-1);
    this.svg.setAttribute("aria-label", last ? `loss ${last[1].toFixed(3)} at step ${last[0]}` : "loss");
    this.svg.replaceChildren(...parts);
  }
}

// A square a share: a row for the letter that looks, a column for the letter that is looked at.
function drawLooks({ word, heads }) {
  const letters = [...word], size = 18, wide = (letters.length + 1.5) * size;
  const parts = heads.flatMap((rows, head) => {
    const left = head * wide;
    const squares = rows.flatMap((row, t) =>
      row.map((share, s) =>
        drawn("rect", {
          x: left + (s + 1) * size, y: (t + 1) * size, width: size - 1, height: size - 1,
          "fill-opacity": share.toFixed(3), class: "share",
        })));
    const names = letters.flatMap((letter, n) => [
      drawn("text", { x: left + (n + 1.5) * size, y: size - 5 }, letter),
      drawn("text", { x: left + size / 2, y: (n + 1.75) * size }, letter),
    ]);
    return [...squares, ...names];
  });
  const width = wide * heads.length, height = (letters.length + 1) * size;
  const label = `where each of ${heads.length} heads looks in ${word}`;
  return drawn("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, class: "chart looks", role: "img", "aria-label": label,
  }, ...parts);
}
