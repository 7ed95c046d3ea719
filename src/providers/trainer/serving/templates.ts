/** Text around the content of a turn. */
export type Turn = { readonly open: string; readonly close: string };

/**
 * A linear chat template: the text of a conversation is `prefix`, then `open + content + close` of each turn; a
 * prompt ends with the assistant's `open`. Linear, because only such a template is the same text in Python, in Go
 * and in Jinja.
 */
export type Template = {
  readonly name: string;
  /** Strings that all occur in the chat template of a base of this family. */
  readonly detect: readonly string[];
  /** The BOS token, where bases of the family begin with one. A server adds it by itself. */
  readonly prefix: string;
  readonly strip: boolean;
  /** End tokens. The first one begins the assistant's `close` and is trained. */
  readonly stop: readonly string[];
  readonly turns: { readonly system: Turn; readonly user: Turn; readonly assistant: Turn };
};

function chatml(role: string): Turn {
  return { open: `<|im_start|>${role}\n`, close: "<|im_end|>\n" };
}

function llama3(role: string): Turn {
  return { open: `<|start_header_id|>${role}<|end_header_id|>\n\n`, close: "<|eot_id|>" };
}

function zephyr(role: string): Turn {
  return { open: `<|${role}|>\n`, close: "</s>\n" };
}

/** The families, most specific first. None strips white space, because the server's template language cannot. */
export const TEMPLATES: readonly Template[] = [
  {
    name: "chatml",
    detect: ["<|im_start|>"],
    prefix: "",
    strip: false,
    stop: ["<|im_end|>"],
    turns: { system: chatml("system"), user: chatml("user"), assistant: chatml("assistant") },
  },
  {
    name: "llama3",
    detect: ["<|start_header_id|>", "<|eot_id|>"],
    prefix: "<|begin_of_text|>",
    strip: false,
    stop: ["<|eot_id|>"],
    turns: { system: llama3("system"), user: llama3("user"), assistant: llama3("assistant") },
  },
  {
    // Mistral's own format since version 7. Older ones have no system turn of their own and are equal without one.
    name: "mistral",
    detect: ["[INST]", "[/INST]"],
    prefix: "<s>",
    strip: false,
    stop: ["</s>"],
    turns: {
      system: { open: "[SYSTEM_PROMPT]", close: "[/SYSTEM_PROMPT]" },
      user: { open: "[INST]", close: "" },
      assistant: { open: "[/INST]", close: "</s>" },
    },
  },
  {
    name: "zephyr",
    detect: ["<|user|>", "<|assistant|>"],
    prefix: "<s>",
    strip: false,
    stop: ["</s>"],
    turns: { system: zephyr("system"), user: zephyr("user"), assistant: zephyr("assistant") },
  },
];

/** Name of the family that a base's own chat template belongs to. */
export function detectTemplate(chatTemplate: string): string | null {
  return TEMPLATES.find(({ detect }) => detect.every((text) => chatTemplate.includes(text)))?.name ?? null;
}

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/**
 * The text of a conversation without what begins every one of the family; with `prompt`, up to where the assistant's
 * next answer begins.
 */
export function renderTurns(template: Template, messages: readonly Message[], prompt: boolean): string {
  const turns = messages.map(({ role, content }) => {
    const { open, close } = template.turns[role];
    return open + (template.strip ? content.trim() : content) + close;
  });
  return turns.join("") + (prompt ? template.turns.assistant.open : "");
}

/**
 * The template in Ollama's language (Go's text/template over .Messages). The text it gives is the one trained on.
 * `opening` comes once, before all messages: what the server does not add by itself, such as the tokens of a prefix.
 * An unfinished answer at the end of a conversation is continued: it
 * is neither closed nor opened again.
 */
export function goTemplate({ turns }: Pick<Template, "turns">, opening: string): string {
  const { system, user, assistant } = turns;
  return [
    literal(opening),
    "{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}",
    `{{ if eq .Role "system" }}${literal(system.open)}{{ .Content }}${literal(system.close)}`,
    `{{ else if eq .Role "user" }}${literal(user.open)}{{ .Content }}${literal(user.close)}`,
    `{{ else if eq .Role "assistant" }}${literal(assistant.open)}{{ .Content }}`,
    `{{ if not $last }}${literal(assistant.close)}{{ end }}{{ end }}`,
    `{{ if and $last (ne .Role "assistant") }}${literal(assistant.open)}{{ end }}{{ end }}`,
  ].join("");
}

/** Literal text: only the start of an action has a meaning in it. */
function literal(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}
