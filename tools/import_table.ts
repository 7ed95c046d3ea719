// deno-lint-ignore-file no-console -- a program of its own
/**
 * The tables of docs/import.md: what becomes of each field of each tool, from the importers' own rules.
 *
 *     deno run -A tools/import_table.ts --write
 */
import type { Importer } from "../src/importers/importer.ts";
import { IMPORTERS } from "../src/importers/registry.ts";
import type { Rule } from "../src/importers/rules.ts";

/** The rows of one tool: fields, the pipeline's field, and what else there is to say. */
function table({ rules, lowRank }: Importer): string {
  const rows = [...rules, ...lowRank].map((rule) =>
    `| ${rule.from.map((name) => `\`${name}\``).join(", ")} | ${cells(rule).map(cell).join(" | ")} |`
  );
  return ["| field | becomes | as, or why not |", "|---|---|---|", ...rows].join("\n");
}

function cells(rule: Rule): [becomes: string, says: string] {
  switch (rule.kind) {
    case "carry": {
      const standard = rule.standard === undefined
        ? []
        : [`the tool's default: ${JSON.stringify(rule.standard)}`];
      return [`\`${rule.to}\``, [...rule.says === undefined ? [] : [rule.says], ...standard].join("; ")];
    }
    case "own":
      return [
        rule.to === "none" ? "–" : rule.to.split(", ").map((name) => `\`${name}\``).join(", "),
        rule.says,
      ];
    case "same": {
      const values = rule.values.map((value) => JSON.stringify(value)).join(", ");
      return ["–", `${values}: ${rule.says}. Otherwise listed: ${rule.otherwise.why}`];
    }
    case "leave":
      return ["listed", `${rule.reason.matters === false ? "" : "**may matter**: "}${rule.reason.why}`];
  }
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The page with its tables as the code has them. Each is between two comments. */
export function withTables(page: string): string {
  return IMPORTERS.reduce((text, importer) => {
    const [open, close] = [`<!-- table: ${importer.name} -->\n`, "\n<!-- end -->"];
    const start = text.indexOf(open);
    const end = text.indexOf(close, start);
    if (start < 0 || end < 0) {
      throw new Error(`Cannot renew docs/import.md: it has no place for table "${importer.name}"`);
    }
    return text.slice(0, start + open.length) + table(importer) + text.slice(end);
  }, page);
}

export const PAGE = new URL("../docs/import.md", import.meta.url);

if (import.meta.main) {
  const renewed = withTables(await Deno.readTextFile(PAGE));
  if (Deno.args[0] === "--write") await Deno.writeTextFile(PAGE, renewed);
  else console.log(renewed);
}
