import { runLogConformance } from "../testing/log-conformance.ts";
import { createMemoryStore } from "./memory.ts";

runLogConformance(
  "memory",
  async ({ now }) => {
    const store = createMemoryStore({ now });
    return { store, dispose: async () => store[Symbol.asyncDispose]() };
  },
  { durable: "volatile" },
);
