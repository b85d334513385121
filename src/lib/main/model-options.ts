import { readFileSync } from "node:fs";
import type { ParseArgsOptionDescriptor } from "node:util";
import { type Args, type Io, usageError } from "../cli/command.ts";
import type { OpenAIChatOptions } from "../engine/openai-chat/options.ts";
import type { JsonObject } from "../model/a2a.ts";
import { IasError, messageOf } from "../model/errors.ts";
import { isObject } from "../model/json.ts";

/** The options of a command that speaks to a model server. */
export const MODEL_OPTIONS: Readonly<Record<string, ParseArgsOptionDescriptor>> = {
  model: { type: "string" },
  "base-url": { type: "string" },
  "api-key-env": { type: "string" },
  system: { type: "string" },
  body: { type: "string" },
  "max-retries": { type: "string" },
};

/** Their help. */
export const MODEL_OPTIONS_HELP = `  --model <name>        the model, as the server lists it (MODEL)
  --base-url <url>      an OpenAI-compatible server: vLLM, Ollama, llama.cpp (OPENAI_BASE_URL)
  --api-key-env <name>  the variable that has the server's key. Default: OPENAI_API_KEY, for
                        OPENAI_BASE_URL and for OpenAI itself only
  --system <text>       system prompt; @<file> reads it from a file
  --body <json>         more members of each request, for example '{"temperature": 0, "seed": 7}'
  --max-retries <n>     how often 429 and 503 are waited out (8); 0 leaves them to the evaluator
`;

/**
 * The model that `--model`, `--base-url`, `--api-key-env`, `--system`, `--body` and `--max-retries` name.
 * @throws IasError a usage error for what is missing or no number, `configuration` for what cannot work
 */
export function readModelOptions(args: Args, env: Io["env"]): OpenAIChatOptions {
  const model = args.text("model") ?? env["MODEL"] ?? "";
  if (model === "") throw usageError("which model? Give --model <name> (or MODEL); the server's /v1/models lists what it has.");
  const baseUrl = args.text("base-url") ?? env["OPENAI_BASE_URL"] ?? "";
  if (baseUrl === "") throw usageError("where is the model? Give --base-url <url> (or OPENAI_BASE_URL), for example http://127.0.0.1:8000/v1.");
  const apiKey = readKey(args, env, baseUrl);
  const system = args.text("system");
  const body = readBody(args.text("body"));
  const retries = args.text("max-retries");
  if (retries !== undefined && !/^\d+$/.test(retries)) throw usageError(`--max-retries ${JSON.stringify(retries)} is not a whole number from 0.`);
  return {
    model,
    baseUrl,
    ...(apiKey !== undefined && { apiKey }),
    ...(system !== undefined && { system: system.startsWith("@") ? readText(system.slice(1)) : system }),
    ...(body !== undefined && { body }),
    ...(retries !== undefined && { maxRetries: Number(retries) }),
  };
}

/** A key that happens to be in the shell is sent only where the shell's variables lead, or to whom it belongs. */
function readKey(args: Args, env: Io["env"], baseUrl: string): string | undefined {
  const name = args.text("api-key-env");
  if (name !== undefined) {
    const key = env[name];
    if (key === undefined || key === "") throw new IasError("configuration", `--api-key-env names ${name}, and that variable is not set.`);
    return key;
  }
  const isOurs = args.text("base-url") === undefined || (URL.canParse(baseUrl) && new URL(baseUrl).hostname === "api.openai.com");
  return isOurs ? env["OPENAI_API_KEY"] || undefined : undefined;
}

function readBody(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body)) return body;
  } catch {
    // Told below.
  }
  throw usageError(`--body is not a JSON object; right is for example '{"temperature": 0}'.`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new IasError("configuration", `--system ${JSON.stringify(`@${file}`)} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
