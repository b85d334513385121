import type { Command, Io } from "../cli/command.ts";
import { openaiChat } from "../engine/openai-chat.ts";
import { checkBaseUrl, type OpenAIChatOptions } from "../engine/openai-chat/options.ts";
import { IasError } from "../model/errors.ts";
import { AGENT_OPTIONS, AGENT_OPTIONS_HELP, noPositionals, readAgentSettings, serveOneAgent } from "./agent-command.ts";
import { MODEL_OPTIONS, MODEL_OPTIONS_HELP, readModelOptions } from "./model-options.ts";

const HELP = `Usage: ias purple --model <name> --base-url <url> [options]

Serves a model as an evaluation's subject (a purple agent) over A2A 1.0 and 0.3: each chunk of the
model server is one event, forwarded before the next is read. A task is COMPLETED by a natural end
of the model's answer only, and never ended by a time. Each message without a contextId is a
conversation of its own.

${MODEL_OPTIONS_HELP}  --expose-reasoning    show the model's reasoning to readers of our extension
  --name <text>         name on the card (the model's)
${AGENT_OPTIONS_HELP}  --json                one JSON line with the addresses when it is ready

Variables of docs/operations.md hold, .env in the working folder is read. SIGTERM gives running
turns 10 s.

Exit codes: 0 stopped in order; 1 it could not start; 2 usage; 130 stopped at once.

Examples:
  ias purple --model Qwen/Qwen3-8B --base-url http://127.0.0.1:8000/v1 --port 9019
  ias purple --model llama3.2 --base-url http://127.0.0.1:11434/v1 --system @subject.txt
`;

/** `ias purple`: a model behind an OpenAI-compatible server as an A2A agent, with AgentBeats' options. */
export const purpleCommand: Command = {
  name: "purple",
  summary: "Serve a model server's model as an evaluation's subject",
  help: HELP,
  options: {
    ...MODEL_OPTIONS,
    "expose-reasoning": { type: "boolean" },
    name: { type: "string" },
    ...AGENT_OPTIONS,
  },
  async run(args, io) {
    noPositionals(args);
    const settings = readAgentSettings(args, io.env);
    const options = readModelOptions(args, io.env);
    const engine = openaiChat(options);
    const agent = {
      id: "subject",
      name: args.text("name") ?? options.model,
      description: `The model ${options.model}, straight from its server.`,
      engine,
      expose: { reasoning: args.flag("expose-reasoning"), toolArguments: true },
    };
    if (!io.json) void warnOf(options, io);
    const { origin } = new URL(options.baseUrl);
    const about = [
      `model    ${options.model} at ${origin}`,
      `streams  ${settings.log === "memory" ? "in memory: each start is a fresh one" : `in ${settings.dataDir}`}`,
    ];
    return serveOneAgent(agent, { settings, io, facts: { model: options.model }, about });
  },
};

/** How long the model server is asked what it has, ms. It may well come up later than we do. */
const MODELS_MS = 3000;

/** Says what would make every task fail; never throws. */
async function warnOf({ baseUrl, model, apiKey }: OpenAIChatOptions, io: Io): Promise<void> {
  const url = `${checkBaseUrl(baseUrl)}/models`;
  try {
    const response = await fetch(url, {
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(MODELS_MS),
      redirect: "error",
    });
    const { data } = (await response.json()) as { readonly data?: readonly { readonly id?: string }[] };
    const names = (data ?? []).flatMap(({ id }) => id ?? []);
    if (names.length > 0 && !names.includes(model)) io.err(`The server does not list the model ${model}; it has ${names.slice(0, 10).join(", ")}.\n`);
  } catch (error) {
    io.err(`${url} does not answer yet (${IasError.from(error).message}); tasks try it by themselves.\n`);
  }
}
