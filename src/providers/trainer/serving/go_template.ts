import type { Template } from "./templates.ts";

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

/** Text that stands for itself: only the opening of an action means something in it. */
function literal(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}
