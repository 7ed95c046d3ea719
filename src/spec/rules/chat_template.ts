/** Chat templates by name. Any other is a file of the user's own. */
export const TEMPLATE_NAMES = ["auto", "chatml", "llama3", "mistral", "zephyr"] as const;

const ENDING = ".jinja";
export const MOST_TEMPLATE_BYTES = 1024 * 1024;

/** Whether provider.template names a file. */
export function isTemplateFile(template: string): boolean {
  return template.endsWith(ENDING);
}
