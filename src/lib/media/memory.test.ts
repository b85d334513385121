import { runBlobConformance } from "../testing/blob-conformance.ts";
import { createMemoryBlobs } from "./memory.ts";

runBlobConformance("memory", { create: async (limits) => createMemoryBlobs(limits) });
