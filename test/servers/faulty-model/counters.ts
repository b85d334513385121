/** What `/metrics` tells: counted where it happens. */
export interface Counters {
  running: number;
  waiting: number;
  promptTokens: number;
  generationTokens: number;
  preemptions: number;
  /** Requests that ended, by reason. */
  readonly ended: Record<"stop" | "length" | "abort" | "error", number>;
  /** Seconds. */
  readonly firstToken: number[];
  readonly interToken: number[];
}

/** The names that `/metrics` uses: vLLM's, its older ones, llama.cpp's, or no `/metrics` at all. */
export type MetricNames = "vllm" | "vllm-old" | "llama" | "none";

export function createCounters(): Counters {
  return {
    running: 0,
    waiting: 0,
    promptTokens: 0,
    generationTokens: 0,
    preemptions: 0,
    ended: { stop: 0, length: 0, abort: 0, error: 0 },
    firstToken: [],
    interToken: [],
  };
}

/** Prometheus text, version 0.0.4. */
export function metricsText(counters: Counters, names: Exclude<MetricNames, "none">, model: string): string {
  return names === "llama" ? llamaText(counters) : vllmText(counters, model, names === "vllm-old");
}

function vllmText(counters: Counters, model: string, old: boolean): string {
  const labels = `engine="0",model_name="${model}"`;
  const lines: string[] = [];
  const add = (type: string, name: string, help: string, values: readonly (readonly [labels: string, value: number])[]): void => {
    lines.push(
      `# HELP vllm:${name} ${help}`,
      `# TYPE vllm:${name} ${type}`,
      ...values.map(([more, value]) => `vllm:${name}{${labels}${more}} ${value.toFixed(1)}`),
    );
  };
  add("gauge", "num_requests_running", "Number of requests in model execution batches.", [["", counters.running]]);
  add("gauge", "num_requests_waiting", "Number of requests waiting to be processed.", [["", counters.waiting]]);
  if (!old) add("gauge", "num_requests_waiting_by_reason", "Number of requests waiting, by reason.", [[',reason="capacity"', counters.waiting]]);
  add("gauge", old ? "gpu_cache_usage_perc" : "kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", [["", Math.min(1, counters.running / 100)]]);
  add("counter", "num_preemptions_total", "Cumulative number of preemption from the engine.", [["", counters.preemptions]]);
  add("counter", "prompt_tokens_total", "Number of prefill tokens processed.", [["", counters.promptTokens]]);
  add("counter", "generation_tokens_total", "Number of generation tokens processed.", [["", counters.generationTokens]]);
  add(
    "counter",
    "request_success_total",
    "Count of successfully processed requests.",
    Object.entries(counters.ended).map(([reason, count]) => [`,finished_reason="${reason}"`, count] as const),
  );
  lines.push(...histogram("vllm:time_to_first_token_seconds", labels, counters.firstToken));
  lines.push(...histogram(old ? "vllm:time_per_output_token_seconds" : "vllm:inter_token_latency_seconds", labels, counters.interToken));
  return `${lines.join("\n")}\n`;
}

function llamaText(counters: Counters): string {
  const rows: readonly (readonly [type: string, name: string, value: number])[] = [
    ["counter", "prompt_tokens_total", counters.promptTokens],
    ["counter", "tokens_predicted_total", counters.generationTokens],
    ["counter", "n_decode_total", counters.generationTokens],
    ["gauge", "requests_processing", counters.running],
    ["gauge", "requests_deferred", counters.waiting],
  ];
  return rows.map(([type, name, value]) => `# HELP llamacpp:${name} ${name}\n# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`).join("");
}

function histogram(name: string, labels: string, values: readonly number[]): readonly string[] {
  const bounds = [0.001, 0.01, 0.1, 0.5, 1, 5, 30];
  return [
    `# HELP ${name} Histogram in seconds.`,
    `# TYPE ${name} histogram`,
    ...bounds.map((bound) => `${name}_bucket{${labels},le="${bound}"} ${values.filter((value) => value <= bound).length}`),
    `${name}_bucket{${labels},le="+Inf"} ${values.length}`,
    `${name}_count{${labels}} ${values.length}`,
    `${name}_sum{${labels}} ${values.reduce((sum, value) => sum + value, 0)}`,
  ];
}
