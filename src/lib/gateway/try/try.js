// The page at `/`: talks A2A 1.0 (JSON-RPC) with our extension, as any client may. PROTOCOL.md has what it relies on.
const facts = JSON.parse(document.getElementById("facts").textContent);
const byId = (id) => document.getElementById(id);
const [talk, form, text] = [byId("talk"), byId("form"), byId("text")];

/** The agent that is talked to, its conversation, and the task that waits for an answer, if one does. */
let agent = facts.agents[0];
let contextId;
let openTask;
/** The stream that is being read: its wire, its task, where it stands. */
let live;
/** What the server knows us by, once it has asked: kept in this variable, never in an address or a storage. */
let key;
/** Settles when the person has given a key, or rather not. */
let asked;

for (const one of facts.agents) {
  const button = make("button", { type: "button", role: "radio", textContent: one.name });
  button.addEventListener("click", () => choose(one));
  byId("agents").append(button);
}
choose(agent);

function choose(one) {
  if (live) return;
  agent = one;
  contextId = openTask = undefined;
  for (const [index, button] of [...byId("agents").children].entries()) button.setAttribute("aria-checked", String(facts.agents[index] === one));
  talk.replaceChildren(byId("empty") ?? empty);
  byId("about").textContent = one.description;
  byId("examples").replaceChildren(
    ...one.examples.map((example) => {
      const button = make("button", { type: "button", textContent: example });
      button.addEventListener("click", () => void say(example));
      return button;
    }),
  );
  text.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said !== "" && !live) void say(said);
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
byId("cut").addEventListener("click", () => live?.wire.abort("cut"));
byId("cancel").addEventListener("click", () => {
  if (asked) asked.reject(rpcError({ error: { message: "This server answers nobody without a key." } }));
  else if (live) post("CancelTask", { id: live.task }).catch(fail);
});
byId("keys").addEventListener("submit", (event) => {
  event.preventDefault();
  asked?.resolve(byId("key").value.trim());
});

let empty = byId("empty");

/** Sends a message and reads its stream to the end, over as many wires as it takes. */
async function say(said, parts = [{ text: said }]) {
  empty = byId("empty") ?? empty;
  empty.remove();
  text.value = "";
  block("user").append(make("p", { textContent: said }));
  live = {
    task: undefined,
    cursor: undefined,
    seen: new Set(),
    tokens: 0,
    started: performance.now(),
    output: undefined,
    shown: [],
    wire: new AbortController(),
  };
  busy(true);
  const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts, ...(contextId && { contextId }), ...(openTask && { taskId: openTask }) };
  openTask = undefined;
  let method = "SendStreamingMessage";
  let params = { message };
  try {
    for (let failures = 0; live;) {
      try {
        await readStream(method, params);
        break;
      } catch (error) {
        if (error.name === "RpcError" || failures > 8) throw error;
        failures = live.wire.signal.aborted ? 0 : failures + 1;
        note(live.wire.signal.aborted ? "wire cut" : `wire lost, trying again`);
        state("Reconnecting");
        await new Promise((resolve) => setTimeout(resolve, live.wire.signal.aborted ? 800 : 250 * 2 ** failures));
        live.wire = new AbortController();
        // Without a task yet, the same message again: the server attaches it to the task that it made.
        if (live.task) [method, params] = ["SubscribeToTask", { id: live.task }];
        live.resumedAt = live.cursor;
      }
    }
  } catch (error) {
    fail(error);
  }
  live = undefined;
  busy(false);
}

async function readStream(method, params) {
  const response = await request(method, params, { ...(live.cursor && { "last-event-id": live.cursor }) }, live.wire.signal);
  if (!response.headers.get("content-type").startsWith("text/event-stream")) throw rpcError(await response.json());
  let rest = "";
  let ended = false;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const frame of blocks) ended = readFrame(frame) || ended;
    count();
  }
  if (!ended) throw new Error("The stream ended before the task did.");
}

/** One frame; true when the turn is over with it. */
function readFrame(frame) {
  const fields = Object.fromEntries(frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  if (fields.data === undefined) return false;
  const { result, error } = JSON.parse(fields.data);
  if (error) throw rpcError({ error });
  if (fields.id) {
    if (live.resumedAt) {
      // A Task in place of the next entry: the server could not go on from our cursor (PROTOCOL OPEN-4).
      if (!result.task) note(`resumed after ${live.seen.size} entries, with the next one: nothing missed, nothing twice`, "wire");
      live.resumedAt = undefined;
    }
    if (live.seen.has(fields.id) && !result.artifactUpdate && !result.task) return false;
    live.seen.add(fields.id);
    // A snapshot may be several frames with one cursor: it is good only when the next one has come (PROTOCOL CUR-5).
    if (result.task) [live.snapshot, live.cursor] = [fields.id, undefined];
    else if (fields.id !== live.snapshot) live.cursor = fields.id;
  }
  if (result.task) return onTask(result.task);
  if (result.artifactUpdate) onArtifact(result.artifactUpdate);
  if (result.message) print(result.message.parts);
  if (result.statusUpdate) return onStatus(result.statusUpdate);
  return Boolean(result.message);
}

/** The Task opens a stream; a second one means that the server could not go on from our cursor: then it stands for all that was shown. */
function onTask(task) {
  if (live.task) for (const shown of live.shown.splice(0)) shown.remove();
  live.task = task.id;
  contextId = task.contextId;
  for (const { parts } of task.artifacts ?? []) print(parts);
  return onState(task.status);
}

function onArtifact({ artifact, append }) {
  if (!append) live.output = undefined;
  live.tokens += 1;
  print(artifact.parts);
}

function onStatus({ status, metadata }) {
  const own = metadata?.[facts.extension];
  if (own?.kind === "tool-call") note(`→ ${own.name} ${own.arguments ?? ""}`);
  else if (own?.kind === "tool-result") note(`← ${own.name} ${own.output ?? (own.failed ? "failed" : "done")}`);
  else if (own?.kind === "delegation") note(`${own.from} ${own.via === "handoff" ? "hands off to" : "asks"} ${own.to}`);
  else if (own?.kind === "text") childText(own);
  if (own && own.kind !== "failure") return false;
  return onState(status);
}

function onState(status) {
  const name = status.state.replace("TASK_STATE_", "").toLowerCase().replace("_", " ");
  state(name[0].toUpperCase() + name.slice(1));
  const waits = name === "input required" || name === "auth required";
  if (waits) openTask = live.task;
  if (status.message) {
    live.output = undefined;
    print(status.message.parts, name === "failed" ? "failed" : "");
    live.output = undefined;
  }
  return waits || ["completed", "failed", "canceled", "rejected"].includes(name);
}

/** Parts of the answer go on where it stands; an approval gets its buttons. */
function print(parts, kind = "") {
  for (const part of parts) {
    if (part.text !== undefined) {
      live.output ??= block(kind === "failed" ? "note failed" : "agent").appendChild(make("p"));
      live.output.append(part.text);
    } else if (part.data?.approvals) approvals(part.data.approvals);
    else note(part.data === undefined ? (part.url ?? `${part.filename ?? "file"} (${part.mediaType ?? "bytes"})`) : JSON.stringify(part.data, undefined, 1));
  }
  bottom();
}

function approvals(list) {
  const row = make("div", { className: "choices" });
  const answer = (approve) => {
    row.remove();
    void say(approve ? "Approve" : "Reject", [{ data: { approvals: list.map(({ call }) => ({ call, approve })) } }]);
  };
  for (const approve of [true, false]) {
    const button = make("button", { type: "button", textContent: approve ? "Approve" : "Reject" });
    button.addEventListener("click", () => !live && answer(approve));
    row.append(button);
  }
  for (const one of list) note(`${one.name} ${one.arguments}`);
  talk.lastElementChild.append(row);
}

/** What a child agent says, in one note a child as long as it talks. */
function childText({ path, text: said }) {
  const name = path.join(" / ");
  if (live.child?.name !== name || live.child.note !== talk.lastElementChild) live.child = { name, note: note(`${name}: `) };
  live.child.note.append(said);
  bottom();
}

function note(said, kind = "") {
  if (live) live.output = undefined;
  const element = block(`note ${kind}`);
  element.textContent = said;
  bottom();
  return element;
}

function block(kind) {
  const element = make("div", { className: `said ${kind}` });
  talk.append(element);
  if (kind !== "user") live?.shown.push(element);
  bottom();
  return element;
}

function bottom() {
  talk.scrollTop = talk.scrollHeight;
}

function busy(on) {
  byId("send").disabled = on;
  byId("cut").hidden = byId("cancel").hidden = !on;
  for (const button of byId("agents").children) button.disabled = on;
  if (!on) text.focus();
}

function state(said) {
  byId("state").textContent = said;
}

function count() {
  if (!live) return;
  const seconds = (performance.now() - live.started) / 1000;
  byId("numbers").textContent = `${live.seen.size} entries · ${live.tokens} chunks · ${(live.tokens / Math.max(seconds, 0.001)).toFixed(0)}/s`;
}

function fail(error) {
  note(error.message, "failed");
  state("Error");
}

/** Asks the server, and the person for a key as often as the server wants another. */
async function request(method, params, headers, signal) {
  for (;;) {
    const used = key;
    const response = await fetch(`/a2a/${agent.id}`, {
      method: "POST",
      signal,
      headers: {
        "content-type": "application/json",
        "a2a-version": "1.0",
        "a2a-extensions": facts.extension,
        ...(used && { authorization: `Bearer ${used}` }),
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    if (response.status !== 401) return response;
    if (used === key) await askForKey();
  }
}

async function askForKey() {
  if (asked) return asked.promise;
  asked = Promise.withResolvers();
  byId("ask").textContent = key ? "The server does not take this key. Another one, or a token:" : "The server asks who you are. An API key or a token:";
  state("Needs a key");
  byId("keys").hidden = false;
  byId("cut").hidden = true;
  byId("key").focus();
  try {
    key = await asked.promise;
    state("Sending");
  } finally {
    asked = undefined;
    byId("key").value = "";
    byId("keys").hidden = true;
    byId("cut").hidden = !live;
  }
}

async function post(method, params) {
  const answer = await (await request(method, params)).json();
  if (answer.error) throw rpcError(answer);
  return answer.result;
}

function rpcError({ error }) {
  return Object.assign(new Error(error.message), { name: "RpcError" });
}

function make(tag, properties = {}) {
  const { role, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  if (role) element.setAttribute("role", role);
  return element;
}
