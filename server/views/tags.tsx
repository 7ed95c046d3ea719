/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { RunTags } from "../../src/log/run_tags.ts";

/** Tags as links to the runs that have them too. */
export function Chips({ tags }: Pick<RunTags, "tags">) {
  if (tags.length === 0) return null;
  return (
    <span class="tags">
      {tags.map((tag) => <a class="tag" href={`/?${new URLSearchParams({ tag })}`}>{tag}</a>)}
    </span>
  );
}

/** What people say about a run. */
export function Tags({ tags: { tags, note, problem } }: { tags: RunTags }) {
  return (
    <>
      {tags.length === 0 ? null : (
        <p class="tagged">
          <Chips tags={tags} />
        </p>
      )}
      {note === undefined ? null : <p class="note">{note}</p>}
      {problem === undefined ? null : <p class="error">{problem}</p>}
    </>
  );
}
