import { definePython } from "./python.ts";

export const pythonA2a1 = definePython({
  name: "python-a2a-1",
  about: "Python a2a-sdk 1.x, the official SDK of A2A 1.0: its client against our server, its server behind our client",
  requirements: "python-a2a-1.txt",
});
