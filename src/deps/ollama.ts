/** The client of Ollama's API, with the web's fetch. */
export { Ollama } from "npm:ollama@0.6.4/browser";
export type { ChatRequest, CreateRequest } from "npm:ollama@0.6.4/browser";
