/** What a model server's `/metrics` say at one moment; what it does not tell is absent. Over all models and engines that it names. */
export interface EngineSample {
  readonly running?: number;
  readonly waiting?: number;
  /** Tokens that were made. */
  readonly generated?: number;
  /** Requests that ended. */
  readonly finished?: number;
  /** Everything else that moves while it works: prompt tokens, steps, preemptions, the share of the cache in use; summed up, it only says that something moved. */
  readonly activity: number;
}

/** Names in vLLM (new and old) and llama.cpp; the first that is there counts. */
const RUNNING = ["vllm:num_requests_running", "llamacpp:requests_processing"];
const WAITING = ["vllm:num_requests_waiting", "llamacpp:requests_deferred"];
const GENERATED = ["vllm:generation_tokens_total", "vllm:generation_tokens", "llamacpp:tokens_predicted_total"];
const FINISHED = ["vllm:request_success_total", "vllm:request_success"];
const ACTIVITY = [
  "vllm:prompt_tokens_total",
  "vllm:prompt_tokens",
  "vllm:num_preemptions_total",
  "vllm:num_preemptions",
  "vllm:iteration_tokens_total_count",
  "vllm:kv_cache_usage_perc",
  "vllm:gpu_cache_usage_perc",
  "llamacpp:prompt_tokens_total",
  // llama.cpp counts tokens only when a request ends, but decodes all the time.
  "llamacpp:n_decode_total",
  "llamacpp:kv_cache_usage_ratio",
];

/** Reads Prometheus text; undefined when it names nothing that we know, so that nothing can be judged by it. */
export function parseEngineMetrics(text: string): EngineSample | undefined {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    // `name{labels} value [timestamp]`; label values may hold anything but an unescaped quote.
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s+(\S+)/.exec(line);
    const [, name, value] = match ?? [];
    const number = Number(value);
    if (name !== undefined && Number.isFinite(number)) values.set(name, (values.get(name) ?? 0) + number);
  }
  const first = (names: readonly string[]): number | undefined => names.map((name) => values.get(name)).find((value) => value !== undefined);
  const running = first(RUNNING);
  const waiting = first(WAITING);
  const generated = first(GENERATED);
  const finished = first(FINISHED);
  const activity = ACTIVITY.reduce((sum, name) => sum + (values.get(name) ?? 0), 0);
  if (running === undefined && generated === undefined) return undefined;
  return {
    ...(running !== undefined && { running }),
    ...(waiting !== undefined && { waiting }),
    ...(generated !== undefined && { generated }),
    ...(finished !== undefined && { finished }),
    activity,
  };
}

/** Whether the engine did anything between two samples. */
export function hasMoved(before: EngineSample, after: EngineSample): boolean {
  return (
    before.generated !== after.generated ||
    before.finished !== after.finished ||
    before.activity !== after.activity ||
    before.running !== after.running ||
    before.waiting !== after.waiting
  );
}
