import assert from "../deps/assert.ts";
import { dirname, join, normalize } from "../../src/deps/path.ts";
import { PAGES, renewed } from "../../tools/docs.ts";
import { ROOT } from "../commands/cli_kit.ts";

const files = new TextDecoder().decode(
  (await new Deno.Command("git", { args: ["ls-files", "-z", "-co", "--exclude-standard"], cwd: ROOT })
    .output()).stdout,
).split("\0").filter((name) => name !== "");
const folders = new Set(
  files.flatMap((name) => name.split("/").slice(0, -1).map((_, i, all) => all.slice(0, i + 1).join("/"))),
);
const pages = new Map(
  await Promise.all(
    files.filter((name) => name.endsWith(".md") && !name.startsWith("tests/")).map(async (name) =>
      [name, await Deno.readTextFile(join(ROOT, name))] as const
    ),
  ),
);

for (const path of PAGES) {
  Deno.test(`${path} has its derived parts as the code has them`, async () => {
    const page = pages.get(path)!;
    assert.equal(page, await renewed(path, page), "renew it: deno run -A tools/docs.ts --write");
  });
}

Deno.test("README has at most 200 lines", () => {
  assert.ok(pages.get("README.md")!.trimEnd().split("\n").length <= 200);
});

/** A place in the project in backticks: `src/run/retry.ts`, `tests/crash`, `src/spec/schema/*.ts`. */
const PLACE = /`((?:src|server|tests|tools|bench|docs|pipelines|trainer)\/[\w./*-]*)`/g;

Deno.test("pages name only files and folders that exist", () => {
  const named = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(PLACE)].map(([, place]) => [page, place!] as const)
  );
  assert.ok(named.length > 30, `only ${named.length} places were found`);
  assert.deepEqual(
    named.filter(([, place]) => !exists(place)).map(([page, place]) => `${page}: ${place}`),
    [],
  );
});

Deno.test("links between pages lead to files and headings that exist", () => {
  const links = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, link, image]) =>
      [page, (link ?? image)!] as const
    )
  ).filter(([, link]) => !/^[a-z]+:/.test(link));
  assert.ok(links.length > 30, `only ${links.length} links were found`);
  assert.deepEqual(
    links.filter(([page, link]) => !leads(page, link)).map(([page, link]) => `${page}: ${link}`),
    [],
  );
});

Deno.test("pages name only tasks that exist", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const named = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/\bdeno(?:@\S+)? task ([a-z][a-z:_-]*)/g)].map(([, task]) => [page, task!] as const)
  );
  assert.ok(named.length > 30, `only ${named.length} tasks were found`);
  assert.deepEqual(
    named.filter(([, task]) => !(task in tasks)).map(([page, task]) => `${page}: ${task}`),
    [],
  );
});

function exists(place: string): boolean {
  const path = place.replace(/\/$/, "").replaceAll("NAME", "*");
  if (!path.includes("*")) return folders.has(path) || files.includes(path);
  const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
  return files.some((name) => pattern.test(name)) || [...folders].some((name) => pattern.test(name));
}

function leads(page: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path));
  if (heading === undefined) return exists(target);
  const headings = [...(pages.get(target) ?? "").matchAll(/^#+ (.*)$/gm)].map(([, text]) => slug(text!));
  return headings.includes(heading);
}

/** The anchor of a heading, as GitHub writes it. */
function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}
