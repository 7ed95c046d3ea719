/** The page with its tables renewed. Each stands between `<!-- table: NAME -->` and `<!-- end -->`. */
export function renewTables(page: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [name, lines]) => {
    const [open, close] = [`<!-- table: ${name} -->\n`, `\n<!-- end -->`];
    const start = text.indexOf(open);
    const end = text.indexOf(close, start);
    if (start < 0 || end < 0) throw new Error(`Cannot renew the page: it has no place for table "${name}"`);
    return text.slice(0, start + open.length) + lines + text.slice(end);
  }, page);
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
