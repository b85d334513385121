import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent } from "@ag-ui/client";
import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import OpenAI from "openai";
import type { UploadedFile } from "../../src/lib/model/api.ts";
import { agentOf, serving } from "../support/serving.ts";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64");

/** An agent that says what each file of its input is and how many bytes it could load, and gives it back. */
const reader = () =>
  agentOf(
    async function* (turn) {
      for (const part of turn.input.flatMap(({ parts }) => parts)) {
        if (part.raw === undefined && part.url === undefined) continue;
        const bytes = await turn.load(part);
        yield { kind: "text", text: `${part.mediaType} ${part.filename ?? "-"} ${bytes.length} ${Buffer.compare(bytes, PNG)};` };
        yield { kind: "artifact", artifact: { artifactId: "back", parts: [part] } };
      }
    },
    { inputModes: ["image/*"] },
  );

async function upload(url: string): Promise<UploadedFile> {
  const form = new FormData();
  form.append("file", new Blob([PNG], { type: "image/png" }), "dot.png");
  const { files } = (await (await fetch(`${url}/api/uploads`, { method: "POST", body: form })).json()) as { files: UploadedFile[] };
  return files[0] ?? assert.fail("nothing was uploaded");
}

const DATA_URL = `data:image/png;base64,${PNG.toString("base64")}`;

/** The names under which a page may reach the server; the last is not the one that the server itself goes by. */
function addressesOf(url: string): readonly string[] {
  return [url, url.replace("127.0.0.1", "localhost")];
}

function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

test("AI SDK: an upload of this server by its path or its address, and an image by data URL, get to the agent and back", async (t) => {
  const server = await serving(t, [reader()]);
  for (const address of addressesOf(server.url)) {
    const { url } = await upload(address);
    for (const [sent, name] of [
      [url, "dot.png"],
      [`${address}${url}`, "dot.png"],
      [DATA_URL, "-"],
    ] as const) {
      const chat = new Chat<UIMessage>({ transport: new DefaultChatTransport({ api: `${address}/ai/agent` }) });
      await chat.sendMessage({ text: "what is it?", files: [{ type: "file", mediaType: "image/png", url: sent }] });
      assert.equal(chat.error, undefined);
      assert.equal(textOf(chat.lastMessage), `image/png ${name} ${PNG.length} 0;`);
      const back = chat.lastMessage?.parts.find((part) => part.type === "file");
      assert.deepEqual([back?.mediaType, back?.url], ["image/png", DATA_URL]);
    }
  }
});

test("AI SDK: what cannot be taken is the chat's error, which says what can", async (t) => {
  const server = await serving(t, [reader()]);
  const errorOf = async (mediaType: string, url: string): Promise<string> => {
    const chat = new Chat<UIMessage>({ transport: new DefaultChatTransport({ api: `${server.url}/ai/agent` }), onError: () => {} });
    await chat.sendMessage({ files: [{ type: "file", mediaType, url }] });
    return chat.error?.message ?? "";
  };
  assert.match(await errorOf("image/png", `/api/files/${"0".repeat(64)}/dot.png`), /names a file that you did not upload here/);
  assert.match(await errorOf("audio/mpeg", "data:audio/mpeg;base64,aGk="), /does not take \\"audio\/mpeg\\".*it takes image\/\*/);
  assert.match(await errorOf("image/png", "data:image/png;base64,%%%"), /parts\.0\.raw/);
});

test("AG-UI and OpenAI's API: the same", async (t) => {
  const server = await serving(t, [reader()]);
  const [, address = ""] = addressesOf(server.url);
  const { url } = await upload(address);
  const said = `image/png dot.png ${PNG.length} 0;`;
  const agent = new HttpAgent({ url: `${address}/agui/agent` });
  agent.addMessage({ id: "m", role: "user", content: [{ type: "image", source: { type: "url", value: `${address}${url}`, mimeType: "image/png" } }] });
  await agent.runAgent();
  assert.ok(agent.messages.some(({ content }) => content === said));
  const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "none", maxRetries: 0 });
  const content = [{ type: "input_image" as const, image_url: `${address}${url}`, detail: "auto" as const }];
  const response = await client.responses.create({ model: "agent", input: [{ role: "user", content }] });
  assert.ok(response.output_text.startsWith(said));
  const messages = [{ role: "user" as const, content: [{ type: "image_url" as const, image_url: { url } }] }];
  const completion = await client.chat.completions.create({ model: "agent", messages });
  assert.ok(completion.choices[0]?.message.content?.startsWith(said));
});
