/** How rows can become conversations: the values of `format`. */
export const ROW_FORMATS = [
  "auto",
  "messages",
  "prompt-completion",
  "preference",
  "alpaca",
  "sharegpt",
  "columns",
] as const;

export function isRowFormat(value: unknown): value is (typeof ROW_FORMATS)[number] {
  return (ROW_FORMATS as readonly unknown[]).includes(value);
}
