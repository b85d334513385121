import { definePython } from "./python.ts";

export const pythonA2a035 = definePython({
  name: "python-a2a-0.3.5",
  about: "Python a2a-sdk at exactly 0.3.5, with which evaluators gave up streaming: where its tokens are collected, and where they are not",
  requirements: "python-a2a-0.3.5.txt",
});
