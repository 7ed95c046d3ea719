// Every hosted service. A new one is a file here and a line below; its export is called by its name.
export { azure } from "./azure.ts";
export { nebius } from "./nebius.ts";
export { openai } from "./openai.ts";
