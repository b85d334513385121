import { IasError } from "../../model/errors.ts";
import type { Sdk, SdkModelProvider } from "./sdk.ts";

/** Where models come from. Nothing here is read from the environment: who calls decides what may be used. */
export interface ModelEndpoint {
  /** Of an OpenAI-compatible API, such as `http://127.0.0.1:11434/v1` (Ollama). Default: OpenAI itself. */
  readonly baseUrl?: string;
  /** Needed by OpenAI; many servers on one's own machine take none. */
  readonly apiKey?: string;
  /** `auto`: Responses with OpenAI itself, chat completions with everything else (vLLM, Ollama, llama.cpp, Gemini speak that best). */
  readonly api?: "auto" | "responses" | "chat-completions";
}

/**
 * A provider of models by name from one endpoint.
 * @throws IasError `configuration` for a URL that is none, or OpenAI without a key.
 */
export function createModelProvider(sdk: Sdk, endpoint: ModelEndpoint): SdkModelProvider {
  const { baseUrl, apiKey, api = "auto" } = endpoint;
  const own = isOpenAI(baseUrl);
  if (own && (apiKey === undefined || apiKey === "")) {
    throw new IasError("configuration", "OpenAI's models need a key (OPENAI_API_KEY). For a server of your own give its address (OPENAI_BASE_URL).", {
      reason: "MODEL_KEY_MISSING",
    });
  }
  const useResponses = api === "auto" ? own : api === "responses";
  return new sdk.OpenAIProvider({
    apiKey: apiKey === undefined || apiKey === "" ? "none" : apiKey,
    useResponses,
    ...(baseUrl !== undefined && baseUrl !== "" && { baseURL: baseUrl }),
  });
}

/** Whether models of this endpoint can be given audio: the Responses API takes none. */
export function takesAudio({ baseUrl = "", api = "auto" }: ModelEndpoint): boolean {
  return api === "auto" ? URL.canParse(baseUrl) && !isOpenAI(baseUrl) : api === "chat-completions";
}

function isOpenAI(baseUrl: string | undefined): boolean {
  if (baseUrl === undefined || baseUrl === "") return true;
  if (!URL.canParse(baseUrl)) throw new IasError("configuration", "OPENAI_BASE_URL is no URL; it looks like http://127.0.0.1:8000/v1.");
  const { hostname } = new URL(baseUrl);
  return hostname === "api.openai.com" || hostname.endsWith(".api.openai.com");
}
