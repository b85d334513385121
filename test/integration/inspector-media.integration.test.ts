import assert from "node:assert/strict";
import test from "node:test";
import { useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";

// What is not text, in a real browser: sound is played, a form is filled in, a file is pasted.

const { open } = useBrowser();

/** A second of silence: 8 kHz, 8 bit, one channel (RIFF). */
function silence(): Buffer {
  const data = Buffer.alloc(8000, 128);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

test("sound that an agent gives is played", async (t) => {
  const raw = silence().toString("base64");
  const agent = agentOf(async function* () {
    yield { kind: "artifact", artifact: { artifactId: "sound", parts: [{ raw, mediaType: "audio/wav", filename: "silence.wav" }] } };
  });
  const server = await serving(t, [agent]);
  const page = await open(t, `${server.url}/a/agent`);
  await page.locator("[data-composer]").fill("play");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("audio").waitFor();
  const seconds = (await page.evaluate(`new Promise((resolve, reject) => {
    const sound = document.querySelector("audio");
    const tell = () => resolve(sound.duration);
    sound.addEventListener("error", () => reject(new Error(sound.error?.message ?? "cannot be played")));
    if (sound.readyState > 0) tell();
    else { sound.addEventListener("loadedmetadata", tell); sound.load(); }
  })`)) as number;
  assert.equal(seconds, 1);
});

test("a form that an agent asks for is filled in, and the turn goes on with its values", async (t) => {
  const schema = {
    type: "object",
    title: "Where to",
    properties: { city: { type: "string", title: "City" }, seats: { type: "integer", title: "Seats" } },
    required: ["city", "seats"],
  };
  const agent = agentOf(async function* (turn) {
    const given = turn.input.at(-1)?.parts.find((part) => part.data !== undefined)?.data;
    if (given === undefined) yield { kind: "interrupt", reason: "input", message: [{ text: "Tell me more." }, { data: schema }] };
    else yield { kind: "text", text: `Booked ${JSON.stringify(given)}.` };
  });
  const server = await serving(t, [agent]);
  const page = await open(t, `${server.url}/a/agent`);
  await page.locator("[data-composer]").fill("book");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByLabel("City").fill("Lima");
  await page.getByLabel("Seats").fill("2");
  await page.locator("form.asked").getByRole("button", { name: "Send" }).click();
  await page.getByText(`Booked {"city":"Lima","seats":2}.`).waitFor();
});

test("a file that is pasted is attached and arrives", async (t) => {
  const agent = agentOf(
    async function* (turn) {
      const file = turn.input.at(-1)?.parts.find((part) => part.filename !== undefined);
      yield { kind: "text", text: file === undefined ? "Nothing came." : `Got ${file.filename}: ${Buffer.from(await turn.load(file)).toString()}.` };
    },
    { inputModes: ["*/*"] },
  );
  const server = await serving(t, [agent]);
  const page = await open(t, `${server.url}/a/agent`);
  await page.locator("[data-composer]").focus();
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File(["pasted words"], "note.txt", { type: "text/plain" }));
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  })()`);
  await page.locator(".attachments .ready").waitFor();
  await page.locator("[data-composer]").fill("look");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("Got note.txt: pasted words.").waitFor();
});
