import assert from "node:assert/strict";
import test from "node:test";
import { useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";

// What is not text, in a real browser: sound is played, a form is filled in, a file is pasted.

const { open } = useBrowser();

/** Less than a second of 64 × 48 pixels in two colours (WebM, VP8), as a browser recorded it. */
const FILM =
  "GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQRChYECGFOAZwEAAAAAAAMfEU2bdLlNu4tTq4QVSalmU6yBbk27i1OrhBZUrmtTrIGTTbuLU6uEH0O2dVOsgdRNu4xTq4QcU7trU6yCAw3srg" +
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalmoCrXsYMPQkBEiYREFhwpTYCGQ2hyb21lV0GGQ2hyb21lFlSua7yuuteBAXPFh48IQWWnuBeDgQFV7oEBhoVW" +
  "X1ZQOOCdsIFAuoEwU8CBAVWwkFWxgQFVuYECVbqBDVW7gQEfQ7Z1AQAAAAAAAi3ngQCg46G0gQAAANACAJ0BKkAAMAAHBwiFhYiZhIglggJ08ma6NHm/FnfA/uQBfih5rewdydcXNkN4AHWhqqao7o" +
  "EBpaOwAgCdASpAADAACocIhYWImYSIOAIABo5PzMeb8VgA/uuuAKDIoaeBAGQAUQIAHBE8ABgMUUsg25RwEhXRXvYA/rut+H5t5G30Mx4VjUB1oZmml+6BAaWS0QEAKhHAABgAGFgv9AAIjAAA+4EA" +
  "oMihp4EAyAARAgAcEPgAGAAaT/QMABT6qqiA/ug4v9H/d/6kqI9VU9ffoHWhmaaX7oEBpZLRAQAqEcAAGAAYWC/0AAiMAAD7gWSgxqGlgQEtABECABwQ4AAYABpP9AwAEQwFU4D+1JkIw0a/61e6/1" +
  "aNoHWhmaaX7oEBpZLRAQAqEcAAGAAYWC/0AAiMAAD7gcigzKGqgQGQAFECABwQvAAYB2AQN2HmmYAsNqqmAP7r3i//BBbUemHHh+vgCniQdaGZppfugQGlktEBACoRwAAYABhYL/QACIwAAPuCAS2g" +
  "y6GpgQH1ABECABwQoAAYABpP9AwAEQwFU4D+3hJxSHIscgJ//Ctb2ewPJ0B1oZmml+6BAaWS0QEAKhGQABgAGFgv9AAIjAAA+4IBkKDMoaqBAlgAEQIAHBCEABgAGk/0DAAU+qqogP7vKUf/maP0m+" +
  "k3fj/rUyMfPuB1oZmml+6BAaWS0QEAKhF4ABgAGFgv9AAIjAAA+4IB9RxTu2uNu4uzgQC3hveBAfGB1A==";

/** A film with so many bytes of nothing at its end (a Void element of Matroska): too large to travel inside an entry. */
function padded(film: string, bytes: number): Buffer {
  const head = Buffer.from([0xec, 0x01, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUIntBE(bytes, 3, 6);
  return Buffer.concat([Buffer.from(film, "base64"), head, Buffer.alloc(bytes)]);
}

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
  const page = await open(`${server.url}/a/agent`);
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

test("a film that an agent gives is played, from its bytes and from this server's address", async (t) => {
  const agent = agentOf(
    async function* (turn) {
      const sent = turn.input.at(-1)?.parts.find((part) => part.mediaType === "video/webm");
      yield { kind: "artifact", artifact: { artifactId: "film", parts: [sent ?? { raw: FILM, mediaType: "video/webm", filename: "film.webm" }] } };
    },
    { inputModes: ["*/*"] },
  );
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`);
  const send = async (text: string): Promise<void> => {
    await page.locator("[data-composer]").fill(text);
    await page.keyboard.press("Enter");
  };
  /** Plays it from its beginning to its end, and gives what was seen. */
  const play = async (which: string) => {
    await page.locator(`${which} video`).waitFor();
    return page.evaluate<{ readonly size: readonly number[]; readonly frames: number; readonly from: string }>(`new Promise((resolve, reject) => {
      const film = document.querySelector("${which} video");
      const tell = () => resolve({ size: [film.videoWidth, film.videoHeight], frames: film.getVideoPlaybackQuality().totalVideoFrames, from: film.currentSrc.split(":", 1)[0] });
      film.addEventListener("error", () => reject(new Error(film.error?.message ?? "cannot be played")));
      film.addEventListener("ended", tell);
      film.muted = true;
      film.play().catch(reject);
    })`);
  };
  await send("play");
  const inline = await play(".said.agent");
  assert.deepEqual([inline.size, inline.from], [[64, 48], "blob"]);
  assert.ok(inline.frames > 1, `${inline.frames} pictures`);
  await page.locator("input[type=file]").setInputFiles({ name: "mine.webm", mimeType: "video/webm", buffer: padded(FILM, 5_000_000) });
  await page.locator(".attachments .ready").waitFor();
  await send("play mine");
  // Its own is shown at once, and once more from the stream when that has it.
  await page.locator(".said.agent video[aria-label='mine.webm']").waitFor();
  const mine = await play(".said.user");
  assert.deepEqual([mine.size, mine.from], [[64, 48], "http"]);
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
  const page = await open(`${server.url}/a/agent`);
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
  const page = await open(`${server.url}/a/agent`);
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
