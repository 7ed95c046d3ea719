// deno-lint-ignore-file camelcase -- names of the URL and of the API
import assert from "../deps/assert.ts";
import fc from "fast-check";
import {
  GROUPINGS,
  HIDEABLE,
  lenientQuery,
  listPath,
  listQuery,
  ROW_STATES,
  selectRows,
  SORT_KEYS,
} from "../../server/query.ts";
import { type RunRow, unreadableRow } from "../../server/run_row.ts";

const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null });
const row: fc.Arbitrary<RunRow> = fc.record({
  id: fc.uuid(),
  state: fc.constantFrom(...ROW_STATES),
  loss: value,
  loss_after: value,
  after: value,
  share: fc.double({ min: 0, max: 1, noNaN: true }),
}).map((some) => ({ ...unreadableRow(some.id, ""), ...some, started: "2026-11-22T08:00:00.000Z" }));
const sort = fc.constantFrom(...SORT_KEYS.flatMap((key) => [key, `-${key}`] as const));

Deno.test("selectRows() gives every row on exactly one page, in one order", () => {
  fc.assert(fc.property(fc.array(row), sort, fc.integer({ min: 1, max: 7 }), (rows, sort, perPage) => {
    const query = { ...listQuery.parse({}), sort, per_page: perPage };
    const { pages, total } = selectRows(rows, query, 0);
    const seen = Array.from({ length: pages }, (_, i) => selectRows(rows, { ...query, page: i + 1 }, 0).rows)
      .flat();
    assert.equal(total, rows.length);
    assert.deepEqual(new Set(seen), new Set(rows));
    assert.equal(seen.length, rows.length);
    if (sort !== "loss" && sort !== "-loss") return;
    const losses = seen.map(({ loss_after, loss }) => loss_after ?? loss);
    const known = losses.filter((loss) => loss !== null);
    assert.deepEqual(losses.slice(0, known.length), known, "what has none comes last");
    assert.deepEqual(known, known.toSorted((a, b) => sort === "loss" ? a - b : b - a));
  }));
});

Deno.test("listPath() leads back to the query it was made from", () => {
  const text = fc.option(fc.string({ minLength: 1, maxLength: 50 }), { nil: undefined });
  const query = fc.record({
    q: text,
    method: text,
    provider: text,
    tag: text,
    group: fc.constantFrom(undefined, ...GROUPINGS),
    of: text,
    hide: fc.subarray([...HIDEABLE]),
    sort,
    page: fc.integer({ min: 1, max: 99 }),
  });
  fc.assert(fc.property(query, (some) => {
    const full = { ...lenientQuery({}), ...some };
    const { searchParams } = new URL(`http://h${listPath(full, { page: some.page })}`);
    assert.deepEqual({ ...lenientQuery(Object.fromEntries(searchParams)), state: undefined }, {
      ...full,
      state: undefined,
    });
  }));
});

Deno.test("lenientQuery() reads anything", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("q", "state", "sort", "page", "per_page", "x"), fc.string()),
      (values) => {
        const { page, per_page: perPage } = lenientQuery(values);
        assert.ok(page >= 1 && perPage >= 1 && perPage <= 500);
      },
    ),
  );
});
