/**
 * A model server that is faulty on demand: OpenAI-compatible, with vLLM's stream, metric names and real counters.
 *
 * Usage: node test/servers/faulty-model.ts '{"port": 0, "metrics": "vllm"}'   (`FaultyModelOptions`, see faulty-model/server.ts)
 * It prints `{"url": "http://127.0.0.1:…", "port": …, "model": "…"}` and ends on SIGTERM. What a request meets stands in its last user message:
 *
 *   {"fault": "stall", "after": 20}            (`Behaviour`, see faulty-model/behaviour.ts)
 *   {"say": "forty-two", "gapMs": 50}
 *   {"fault": "rate-limit", "retryAfter": 1, "times": 2, "say": "at last"}
 */
import { createFaultyModel, type FaultyModelOptions } from "./faulty-model/server.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as FaultyModelOptions;
const server = await createFaultyModel(options);
console.log(JSON.stringify({ url: server.url, port: server.port, model: options.model ?? "faulty" }));
process.once("SIGTERM", () => void server[Symbol.asyncDispose]());
