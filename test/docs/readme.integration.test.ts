import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { codeBlocks, scratchFolder, writeBlocks } from "../support/code-blocks.ts";
import { startModelServer } from "../support/model-server.ts";

test("README's ten lines serve an agent of the OpenAI Agents SDK, which streams what a real model server says", async (t) => {
  const block = codeBlocks().find(({ place, language }) => place.startsWith("README.md:") && language === "ts");
  assert.ok(block !== undefined);
  assert.ok(block.text.trim().split("\n").length <= 10, "it is ten lines");
  using scratch = scratchFolder();
  const data = mkdtempSync(join(tmpdir(), "ias-readme-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  await using models = await startModelServer();

  const [file] = writeBlocks(scratch.path, [block]);
  const env = { ...process.env, OPENAI_BASE_URL: `${models.url}/v1`, OPENAI_API_KEY: "none", OPENAI_AGENTS_DISABLE_TRACING: "1" };
  const child = spawn(process.execPath, ["--conditions=@infinite-agent-streams/source", String(file)], {
    cwd: data,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    const url = await firstLine(child.stdout);
    const texts = await stream(url);
    assert.ok(texts.length > 5, `${texts.length} pieces: ${JSON.stringify(texts.slice(0, 10))}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});

async function firstLine(output: AsyncIterable<Buffer>): Promise<string> {
  let said = "";
  for await (const chunk of output) {
    said += chunk.toString();
    if (said.includes("\n")) return said.slice(0, said.indexOf("\n"));
  }
  throw new Error(`it ended before it said where it serves: ${said}`);
}

/** The text of each chunk that a client without any library sees. */
async function stream(url: string): Promise<string[]> {
  const message = { messageId: "1", role: "ROLE_USER", parts: [{ text: "Rivers, please." }] };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message } }),
  });
  const texts: string[] = [];
  let rest = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.startsWith("data: "))) {
      const frame = JSON.parse(line.slice("data: ".length)) as { result?: { artifactUpdate?: { artifact: { parts: { text: string }[] } } } };
      for (const part of frame.result?.artifactUpdate?.artifact.parts ?? []) texts.push(part.text);
    }
    if (texts.length > 20) return texts; // a model of random weights may go on for long
  }
  return texts;
}
