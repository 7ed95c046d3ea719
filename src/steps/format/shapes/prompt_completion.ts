import type { Shape } from "../conversation/conversation.ts";
import { isSide, readSide } from "./messages.ts";
import { withSystem } from "./row_fields.ts";

/** A prompt and what should follow, each a text or a list of messages. */
export const promptCompletion: Shape = {
  name: "prompt-completion",
  needs: 'the fields "prompt" and "completion"',
  options: '"system", "tools"',
  fields: [
    "prompt",
    "completion",
    "system",
    "tools",
    "functions",
    "parallel_tool_calls",
    "chat_template_kwargs",
  ],
  fits: ({ prompt, completion }) => isSide(prompt) && isSide(completion),
  read(row, complain) {
    const prompt = readSide(row, "prompt", "user", complain);
    const completion = prompt && readSide(row, "completion", "assistant", complain);
    const turns = completion && withSystem(row, [...prompt, ...completion], complain);
    return turns && { turns, offers: row };
  },
};
