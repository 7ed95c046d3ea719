/** Counts tokens as OpenAI's models do. */
export { countTokens } from "npm:gpt-tokenizer@4.0.0/encoding/o200k_base";
