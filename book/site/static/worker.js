// Python in a worker: run.js sends orders, this answers with what happens.
import { loadPyodide } from "../run/pyodide/pyodide.mjs";

const site = new URL("..", import.meta.url);
let stop = false;
let ready, tested;
let busy = Promise.resolve();

const say = (kind, words) => postMessage({ kind, words });
let begun = false;
// Pyodide waits for ever for a file that did not come.
addEventListener("unhandledrejection", ({ reason }) => {
  if (!begun) say("broken", String(reason?.message ?? reason));
});
// So it is asked first whether the largest is there.
const WASM = "run/pyodide/pyodide.asm.wasm";
async function look() {
  const answer = await fetch(new URL(WASM, site), { method: "HEAD" });
  if (!answer.ok) throw new Error(`${WASM}: ${answer.status}; expected a file that make book wrote`);
}
const bytes = async (path) => {
  const answer = await fetch(new URL(path, site));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}; expected a file that make book wrote`);
  return answer.arrayBuffer();
};

function broken(error) {
  say("broken", error.message);
  throw error;
}

// Pyodide goes on without a package that did not come.
async function loadPackages(pyodide, packages, cdn) {
  await pyodide.loadPackage(packages);
  const lacking = packages.filter((name) => !(name in pyodide.loadedPackages));
  if (lacking.length) throw new Error(`got no ${lacking.join(", ")}; expected it from ${cdn}`);
}

// A moment in which messages arrive. A message channel is quicker than a timer.
const channel = new MessageChannel();
const pause = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(0);
  });

async function begin(step) {
  const answer = await fetch(new URL(`run/${step}.json`, site));
  const { packages, cdn } = await answer.json();
  await look().catch(broken);
  const [pyodide, files, code] = await Promise.all([
    loadPyodide({ indexURL: new URL("run/pyodide/", site).href, packageBaseUrl: cdn }),
    bytes(`run/${step}.zip`),
    bytes("static/in_page.py"),
  ]);
  if (packages.length) await loadPackages(pyodide, packages, cdn).catch(broken);
  pyodide.FS.mkdir("/step");
  pyodide.unpackArchive(files, "zip", { extractDir: "/step" });
  pyodide.FS.writeFile("/home/pyodide/in_page.py", new Uint8Array(code));
  const python = pyodide.pyimport("in_page");
  Object.assign(python, { say, pause, stopping: () => stop });
  python.begin();
  begun = true;
  return { pyodide, python };
}

async function loadTests(pyodide) {
  pyodide.unpackArchive(await bytes("run/wheels.zip"), "zip", { extractDir: "/wheels" });
  pyodide.runPython("import sys; sys.path.append('/wheels')");
}

const ORDERS = {
  program: ({ python }, name, words) => python.program.callPromising(name, words),
  sample: ({ python }, ...asked) => python.sample(...asked),
  controls: ({ python }) => python.controls().toJs(),
  line: ({ python }, session, text) => python.line.callPromising(session, text),
  forget: ({ python }) => python.forget_sessions(),
  check: async ({ pyodide, python }, path, text, test) => {
    tested ??= loadTests(pyodide);
    tested.catch(() => { tested = undefined; });
    await tested;
    return python.check.callPromising(path, text, test);
  },
};

onmessage = ({ data: { order, id, words } }) => {
  if (order === "stop") {
    stop = true;
    return;
  }
  busy = busy.then(async () => {
    try {
      ready ??= begin(new URLSearchParams(location.search).get("step"));
      ready.catch(() => { ready = undefined; }); // the next order tries again
      const tools = await ready;
      stop = false;
      const answer = await ORDERS[order](tools, ...words);
      postMessage({ kind: "done", id, answer });
    } catch (error) {
      postMessage({ kind: "done", id, error: String(error.message ?? error) });
    }
  });
};
