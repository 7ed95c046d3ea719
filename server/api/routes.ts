import { createRoute, z } from "../../src/deps/zod_openapi.ts";
import { answerFilter, answerText } from "../answers/answer_query.ts";
import { MOST_COMPARED } from "../compare_runs.ts";
import { listQuery, MOST_PER_PAGE } from "../query.ts";
import * as schemas from "./schemas.ts";

const id = z.object({ id: z.string().min(1).max(255).describe("A run's full id") });
const page = z.coerce.number().int().min(1).max(1_000_000).default(1);

export const health = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Health check. Needs no token",
  responses: { 200: json(schemas.healthSchema, "The server is up"), ...named() },
});

export const list = createRoute({
  method: "get",
  path: "/api/runs",
  summary: "The runs, newest first unless asked otherwise",
  request: { query: listQuery },
  responses: {
    200: {
      ...json(z.array(schemas.rowSchema).readonly(), "The runs of one page"),
      headers: z.object({
        "x-total-count": z.string().describe("Number of runs that match the filter"),
        link: z.string().optional().describe("Address of the next page, rel=next"),
      }),
    },
    400: error("The query is wrong"),
    ...guarded(),
  },
});

export const run = createRoute({
  method: "get",
  path: "/api/runs/{id}",
  summary: "One run",
  request: { params: id },
  responses: { 200: json(schemas.runSchema, "The run as it is now"), ...aboutRun() },
});

export const metrics = createRoute({
  method: "get",
  path: "/api/runs/{id}/metrics",
  summary: "The charts of a run's training",
  request: { params: id },
  responses: { 200: json(schemas.chartsSchema, "The charts"), ...aboutRun() },
});

export const predictions = createRoute({
  method: "get",
  path: "/api/runs/{id}/predictions",
  summary: "Held-out rows with the answers before and after training",
  request: {
    params: id,
    query: z.object({
      change: answerFilter,
      q: answerText,
      page: page.describe("Which page, from 1"),
      per_page: z.coerce.number().int().min(1).max(MOST_PER_PAGE).default(50).describe("Rows on a page"),
    }),
  },
  responses: {
    200: json(schemas.predictionsSchema, "One page of rows"),
    ...aboutRun(),
  },
});

export const report = createRoute({
  method: "get",
  path: "/api/runs/{id}/report",
  summary: "The dataset report",
  request: { params: id },
  responses: { 200: json(schemas.reportSchema, "The report of the format step"), ...aboutRun() },
});

export const files = createRoute({
  method: "get",
  path: "/api/runs/{id}/files",
  summary: "The pipeline file as it was run, and the Modelfile",
  request: { params: id },
  responses: { 200: json(schemas.filesSchema, "Their text; null for a missing one"), ...aboutRun() },
});

export const log = createRoute({
  method: "get",
  path: "/api/runs/{id}/log",
  summary: "The end of the run's log as text",
  request: { params: id },
  responses: { 200: json(schemas.logSchema, "The last lines"), ...aboutRun() },
});

export const compare = createRoute({
  method: "get",
  path: "/api/compare",
  summary: "Several runs with their losses",
  request: {
    query: z.object({
      run: z.union([z.string().max(255), z.array(z.string().max(255)).max(MOST_COMPARED)])
        .transform((value) => [value].flat())
        .openapi({ type: "array", items: { type: "string", maxLength: 255 }, maxItems: MOST_COMPARED })
        .describe("A run's id; repeat for each run"),
    }),
  },
  responses: {
    200: json(schemas.compareSchema, "The runs that exist"),
    400: error("The query is wrong"),
    ...guarded(),
  },
});

function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

function error(description: string) {
  return json(schemas.errorSchema, description);
}

function aboutRun() {
  return {
    400: error("The id is too long, or the query is wrong"),
    404: error("No such run, or it has no such part"),
    422: error("It exists but cannot be read"),
    ...guarded(),
  };
}

/** What every address may answer that shows something of a run. */
function guarded() {
  return {
    401: error("The token is missing or wrong"),
    429: error("Too many wrong tokens came from this address"),
    ...named(),
  };
}

/** What every address may answer. */
function named() {
  return { 421: error("The Host header names another server") };
}
