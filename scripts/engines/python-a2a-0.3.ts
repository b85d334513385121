import { definePython } from "./python.ts";

export const pythonA2a03 = definePython({
  name: "python-a2a-0.3",
  about: "Python a2a-sdk 0.3.x, which half of the field still speaks: its client against our server, its server behind our client",
  requirements: "python-a2a-0.3.txt",
});
