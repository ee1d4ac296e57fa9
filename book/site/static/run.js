// Act I in the page: training with its report, names at a temperature, puzzles, sessions line by
// line, exercises with their tests. Python runs in a worker; what is written stays in this browser.
"use strict";

const panel = $("#run");
const step = panel.dataset.step;
const served = location.protocol.startsWith("http");
const PATIENCE = 3000; // milliseconds that Stop waits before it ends Python itself

// A terminal: lines that come; what follows \r takes the place of the last one. It is drawn once a
// frame, however much comes.
class Terminal {
  constructor(label) {
    this.element = make("pre", { className: "term live", tabIndex: 0 });
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-label", label);
    this.text = "";
    this.anew = this.waiting = false;
  }
  clear() {
    this.text = "";
    this.anew = false;
    this.element.replaceChildren();
  }
  write(words) {
    for (const piece of words.split(/(\r)/)) {
      if (piece === "\r") this.anew = true;
      else if (piece) {
        if (this.anew && !piece.startsWith("\n"))
          this.text = this.text.slice(0, this.text.lastIndexOf("\n") + 1);
        this.anew = false;
        this.text += piece;
      }
    }
    if (!this.waiting) requestAnimationFrame(() => this.show());
    this.waiting = true;
  }
  show() {
    this.waiting = false;
    this.element.textContent = this.text;
    this.element.scrollTop = this.element.scrollHeight;
  }
}

let memory = 0; // grows when what lines of sessions have made is gone, so that all has to run again

// Python in its worker. One order at a time is at work; its output goes to `screen`.
const python = {
  waiting: new Map(), id: 0, screen: null, loaded: false, trained: false,
  start() {
    this.worker = new Worker(`${place}static/worker.js?step=${step}`, { type: "module" });
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = (event) => this.end(event.message ?? "the worker did not start");
  },
  heard({ kind, words, id, answer, error }) {
    if (kind === "done") {
      this.loaded = true;
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(answer);
    } else if (kind === "loss") this.onloss?.(...JSON.parse(words));
    else if (kind === "looks") this.onlooks?.(JSON.parse(words));
    else if (kind === "stopping") clearTimeout(this.patience);
    else if (kind === "broken") this.end(`Python could not be loaded: ${words}`);
    else if (kind === "progress" && this.screen?.pass) this.screen.pass(words);
    else this.screen?.write(words);
  },
  ask(screen, order, ...words) {
    if (!this.worker) this.start();
    this.screen = screen;
    if (!this.loaded) screen?.write("loading Python …\r");
    const id = ++this.id;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ order, id, words });
    });
  },
  // Ends the worker with all that it holds.
  end(why) {
    this.worker?.terminate();
    Object.assign(this, { worker: undefined, loaded: false, trained: false });
    memory += 1;
    for (const { reject } of this.waiting.values()) reject(new Error(why));
    this.waiting.clear();
  },
  // A second click changes nothing: a training that stops still makes its report.
  stop() {
    const meant = this.id;
    if (this.stopped === meant || !this.waiting.has(meant)) return;
    this.stopped = meant;
    stopButton.textContent = "Stopping …";
    this.worker?.postMessage({ order: "stop" });
    this.patience = setTimeout(() => {
      if (this.waiting.has(meant)) this.end("Stopped by force: what was in memory is gone.");
    }, PATIENCE);
  },
};

const button = (words, act) => {
  const element = make("button", { type: "button", textContent: words });
  element.addEventListener("click", act);
  return element;
};
const labelled = (words, input) => make("label", {}, words, " ", input);

// While an order is at work, only Stop can be pressed, and the button that began it, if it is not
// beside Stop: then it stops too.
const stopButton = button("Stop", () => python.stop());
let begun; // that button
function starter(words, act) {
  const element = button(words, async (event) => {
    if (begun === element && event.detail < 2) python.stop(); // a double click begins, and no more
    if (begun) return;
    begun = element;
    const label = element.getAttribute("aria-label");
    if (label) element.setAttribute("aria-label", "stop");
    element.textContent = label ? "■" : "Stop this";
    try {
      await act();
    } finally {
      begun = undefined;
      element.textContent = words;
      if (label) element.setAttribute("aria-label", label);
    }
  });
  return runs(element);
}
async function working(screen, order, ...words) {
  const focused = document.activeElement;
  panel.classList.add("working");
  stopButton.disabled = false;
  if (focused !== begun && focused.matches(".runs")) stopButton.focus({ preventScroll: true });
  for (const other of $$(".runs")) other.disabled = other !== stopButton && other !== begun;
  try {
    return await python.ask(screen, order, ...words);
  } catch (error) {
    screen.write(`\n${error.message}\n`);
    return undefined;
  } finally {
    panel.classList.remove("working");
    for (const other of $$(".runs")) other.disabled = false;
    stopButton.textContent = "Stop";
    invent.disabled = !python.trained;
    if (document.activeElement === stopButton) focused.focus({ preventScroll: true });
    stopButton.disabled = true;
  }
}
// Whoever leaves the page in the middle of a run is asked.
addEventListener("beforeunload", (event) => { if (python.waiting.size) event.preventDefault(); });
const runs = (element) => {
  element.classList.add("runs");
  return element;
};

// Training and puzzles -----------------------------------------------------------------------------
const output = new Terminal("what the program prints");
const pictures = make("div", { className: "pictures" });
const options = make("input", { size: 24, spellcheck: false });
const trainButton = runs(button("Train", train));
const count = make("input", { type: "number", min: 1, max: 100, value: 10 });
const temperature = make("input", { type: "range", min: 0.1, max: 2, step: 0.1, value: 1 });
const shown = make("output", { textContent: "1.0" });
const prompt = make("input", { size: 8, maxLength: 15, spellcheck: false });
const names = new Terminal("invented names");
const invent = runs(button("Invent names", sampleNames));
const boxes = { temperature: labelled("temperature", temperature), prompt: labelled("begins with", prompt) };
let facts, seed = 1;

options.addEventListener("keydown", (event) => {
  if (event.key === "Enter") trainButton.click();
});
temperature.addEventListener("input", () => { shown.textContent = (+temperature.value).toFixed(1); });

// The losses of counting, from the report that the book has of this step.
function yardsticks() {
  const line = facts.expected.split("\n").find((text) => text.startsWith("uniform")) ?? "";
  const found = line.split(" · ").map((pair) => pair.split(" "));
  return Object.fromEntries(found.slice(1).map(([name, loss]) => [name, +loss]));
}
function watch(levels) {
  const curve = new Curve(levels), looks = make("div", { className: "wide", tabIndex: 0 });
  const note = make("p", { className: "note", hidden: true });
  note.textContent = "Where each head looks: a row for the letter that looks, a column for each that it may look at.";
  pictures.replaceChildren(note, looks); // a step that only counts has no curve
  python.onloss = (...point) => {
    if (!curve.svg.isConnected) pictures.prepend(curve.svg);
    curve.add(...point);
  };
  python.onlooks = (found) => {
    note.hidden = false;
    looks.replaceChildren(drawLooks(found));
  };
  output.clear();
}
async function run(command, name, words) {
  watch(name === "model.train" ? yardsticks() : {});
  output.write(`$ ${command}\n`);
  python.trained = await working(output, "program", name, words) ?? false;
  invent.disabled = !python.trained;
  if (!python.trained) return;
  const taken = await python.ask(null, "controls");
  for (const [kind, box] of Object.entries(boxes)) box.hidden = !taken.includes(kind);
}
function train() {
  const words = options.value;
  return run(`make train${words ? ` ARGS="${words}"` : ""}`, "model.train", words);
}
const learn = (name) => run(`python3 -m model.puzzles ${name}`, "model.puzzles", name);

// The commands of the text that run a program of the step: a click runs them in the panel.
function showCommand(typed) {
  const command = typed.textContent;
  const making = command.match(/^make train(?: ARGS="(.*)")?$/);
  const other = command.match(/^python3 -m (model\.[\w.]+) ?([^|>&;]*)$/);
  if (!making && !other) return;
  const [name, words] = making ? ["model.train", making[1] ?? ""] : other.slice(1);
  const go = runs(button("▶", () => {
    showPanel("run");
    reachPanel();
    return run(command, name, words);
  }));
  go.setAttribute("aria-label", `run ${command}`);
  go.classList.add("go");
  typed.previousElementSibling.before(go, " ");
}
async function sampleNames() {
  names.clear();
  seed += 1;
  count.value = Math.max(1, Math.min(100, Math.round(+count.value)));
  prompt.value = prompt.value.toLowerCase();
  await working(names, "sample", +count.value, +temperature.value, prompt.value, seed);
}

function showTraining() {
  stopButton.className = "runs";
  stopButton.disabled = true;
  invent.disabled = true;
  options.placeholder = facts.options;
  boxes.temperature.append(" ", shown);
  for (const box of Object.values(boxes)) box.hidden = true; // until it is known what the model takes
  const first = make("div", { className: "run-bar" }, trainButton, stopButton);
  first.append(labelled("options", options));
  if (facts.puzzles.length) {
    const choice = make("select", {}, ...facts.puzzles.map((name) => make("option", { textContent: name })));
    first.append(labelled("puzzle", choice), runs(button("Learn it", () => learn(choice.value))));
  }
  const second = make("div", { className: "run-bar" }, invent, labelled("how many", count));
  second.append(...Object.values(boxes));
  const note = make("p", { className: "note" });
  const more = facts.exercises.length ? "; with the first Check also pytest, 2 MB" : "";
  note.textContent = `With the first run the browser loads Python, 14 MB, from this site${more}. It is slower there.`;
  const title = make("h3", { textContent: "Names" });
  panel.append(note, first, pictures, output.element, title, second, names.element);
}

// Exercises ----------------------------------------------------------------------------------------
// Shows the line of an exercise at which there is something to write.
function openAt(editor, line) {
  const start = editor.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
  editor.setSelectionRange(start, start);
  const above = 6; // lines
  editor.scrollTop = (line - 1 - above) * parseFloat(getComputedStyle(editor).lineHeight);
}
const kept = (exercise) => `exercise ${exercise.name} ${exercise.file}`;
function remembered(exercise, otherwise) {
  try {
    return localStorage.getItem(kept(exercise)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
function keep(exercise, text) {
  try {
    if (text === exercise.text) localStorage.removeItem(kept(exercise));
    else localStorage.setItem(kept(exercise), text);
  } catch {
    // Then it lasts as long as the page.
  }
}

function showExercise(exercise) {
  const screen = new Terminal(`the test of ${exercise.name}`);
  const editor = make("textarea", { rows: 22, spellcheck: false, wrap: "off" });
  editor.value = remembered(exercise, exercise.text);
  editor.setAttribute("aria-label", exercise.file);
  const leave = make("p", { className: "note", id: `leave-${exercise.name}` });
  leave.textContent = "Tab indents; Escape, then Tab, leaves the editor.";
  editor.setAttribute("aria-describedby", leave.id);
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    openAt(editor, exercise.line);
    seen.disconnect();
  });
  seen.observe(editor);
  editor.addEventListener("input", () => {
    delete editor.dataset.leave;
    keep(exercise, editor.value);
  });
  // What is written in another tab comes here too, so that no tab keeps an older text.
  const take = (text) => {
    if (text === editor.value) return;
    const { selectionStart, scrollTop } = editor;
    editor.value = text;
    editor.setSelectionRange(selectionStart, selectionStart);
    editor.scrollTop = scrollTop;
  };
  addEventListener("storage", ({ key, newValue }) => {
    if (key === kept(exercise)) take(newValue ?? exercise.text);
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) take(remembered(exercise, editor.value));
  });
  editor.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey) return; // Escape, then Tab, leaves the editor
    if (editor.dataset.leave) return;
    event.preventDefault();
    editor.setRangeText("    ", editor.selectionStart, editor.selectionEnd, "end");
    keep(exercise, editor.value);
  });
  editor.addEventListener("keyup", (event) => {
    if (event.key === "Escape") editor.dataset.leave = "yes";
  });
  editor.addEventListener("blur", () => delete editor.dataset.leave);
  const verdict = make("strong", { className: "verdict" });
  const hints = make("ol");
  const check = starter("Check", async () => {
    screen.clear();
    verdict.textContent = "";
    const solved = await working(screen, "check", exercise.file, editor.value, exercise.test);
    verdict.textContent = solved ? "Solved." : "Not yet.";
    memory += 1;
  });
  const next = button("Hint", () => {
    const left = exercise.hints.slice(hints.children.length);
    if (left.length) hints.append(make("li", { textContent: left[0] }));
    if (left.length <= 1) next.textContent = "Solution";
    if (!left.length) solution.hidden = false;
    next.disabled = !left.length;
  });
  const replace = (text) => {
    const own = ![exercise.text, exercise.solution].includes(editor.value);
    if (own && !confirm("Forget what you have written here?")) return;
    editor.value = text;
    keep(exercise, text);
    openAt(editor, exercise.line);
    editor.scrollIntoView({ block: "nearest" });
  };
  const again = button("Begin anew", () => replace(exercise.text));
  const put = button("Put it in", () => replace(exercise.solution));
  const solution = make("div", { className: "file", hidden: true }, make("header", {}, put));
  solution.insertAdjacentHTML("beforeend", exercise.diff);
  const head = make("p", {}, "Its test: ", make("code", { textContent: exercise.test }));
  const task = make("p", { className: "task", textContent: exercise.task });
  const file = make("p", {}, "Write here, in ", make("code", { textContent: exercise.file }), ":");
  const bar = make("div", { className: "run-bar" }, check, next, again, verdict);
  panel.append(make("h3", { textContent: `Exercise: ${exercise.name.replaceAll("_", " ")}` }));
  panel.append(head, task, file, editor, leave, bar, screen.element, hints, solution);
}

// Sessions: each statement can be edited, and runs with all that stand above it ------------------------
function showSession(block) {
  const session = block.dataset.session, cells = [];
  let last;
  const rest = [...block.childNodes];
  block.replaceChildren();
  block.classList.add("session");
  let text = "";
  for (const node of rest) {
    const sign = node.nodeName === "B" ? node.textContent.trim() : "";
    if (sign === ">>>" || sign === "$") {
      last = sign === "$" ? undefined : { code: make("code"), result: make("samp"), done: "" };
      if (last) cells.push(last);
      else block.append(node);
      text = "";
    } else if (sign === "...") last.code.append("\n");
    else if (node.nodeName === "KBD" && last) last.code.append(...node.childNodes);
    else if (node.nodeName === "SAMP" && last) {
      text += (text ? "\n" : "") + node.textContent;
      last.result.textContent = text;
    } else if (!last) block.append(node);
  }
  cells.forEach((cell, n) => {
    const go = starter("▶", () => runTo(cells, n, session));
    go.setAttribute("aria-label", "run this statement and those above it");
    cell.code.contentEditable = "plaintext-only";
    cell.code.spellcheck = false;
    cell.code.setAttribute("role", "textbox");
    cell.code.setAttribute("aria-multiline", "true");
    cell.code.setAttribute("aria-label", "Python");
    cell.code.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
        event.preventDefault();
        if (!begun) go.click();
      }
    });
    block.append(make("div", { className: "cell" }, go, cell.code), cell.result);
  });
  if (block === $("pre.session")) {
    const note = "▶ runs a line, after those above it. The lines can be edited: click into one.";
    block.before(make("p", { className: "note", textContent: note }));
  }
}

// What a statement prints. Its progress is shown while it works, and not kept.
class Result extends Terminal {
  constructor(element) {
    super("");
    this.element = element;
    element.classList.add("ran");
    this.end();
  }
  pass(words) {
    this.element.textContent = this.text + words.trim();
  }
  end() {
    this.text = this.text.replace(/^loading Python …/, "");
    this.element.textContent = this.text;
  }
}

async function runTo(cells, last, session) {
  for (let n = 0; n <= last; n++) {
    const cell = cells[n], text = cell.code.textContent, mark = `${memory}:${text}`;
    if (n < last && cell.done === mark) continue;
    const screen = new Result(cell.result);
    await working(screen, "line", session, text);
    screen.end();
    cell.done = mark;
    if (!python.worker || python.stopped === python.id) return;
  }
}

// ---------------------------------------------------------------------------------------------------
async function showAll() {
  const answer = await fetch(`${place}run/${step}.json`);
  facts = await answer.json();
  $(".served", panel).remove();
  showTraining();
  facts.exercises.forEach(showExercise);
  $$("pre[data-session]").forEach(showSession);
  $$("pre.term kbd").forEach(showCommand);
}
if (served) showAll();
