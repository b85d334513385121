import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./install.ts";
import { definePython } from "./python.ts";

const MODEL = "tiny.gguf";
const SOURCE = "../../test/servers/model/make_model.py";

/** `python` runs `test/servers/model/serve.py <model> <port>`; `model` is 0.5 MB of random weights. */
export const llama = definePython<"model">({
  name: "llama",
  about: "llama.cpp's own server (from the wheel xllamacpp) with a tiny random model: an OpenAI-compatible stream that nobody here wrote",
  requirements: "llama.txt",
  also: {
    sources: [SOURCE],
    files: { model: MODEL },
    run: async (python, folder) => void (await run(python, [fileURLToPath(new URL(SOURCE, import.meta.url)), join(folder, MODEL)])),
  },
});
