import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { MonitorWork } from "../../provider.ts";
import { renamed } from "../job/job_events.ts";
import type { JobView } from "../job/job_view.ts";
import type { Service } from "../service.ts";

export const RESULT_FILE = "metrics.csv";

/** Keeps the service's own table of the training as a file, and returns its last numbers. Some services have none. */
export async function keepResultFile(
  work: MonitorWork,
  service: Service,
  job: JobView,
): Promise<Readonly<Record<string, number>> | undefined> {
  const [id] = job.result_files ?? [];
  if (id === undefined) return undefined;
  const body = await service.read(
    "read the result file",
    async (options) => await (await service.client.files.content(id, options)).text(),
  );
  const csv = plainCsv(body);
  await work.fs.mkdirp(join(work.runDir, "job"));
  await work.fs.writeAtomic(join(work.runDir, "job", RESULT_FILE), csv);
  return await lastNumbers(csv);
}

/** Some services wrap the table in base64. */
function plainCsv(body: string): string {
  const packed = body.trim();
  if (packed === "" || packed.includes(",") || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(packed)) return body;
  try {
    const bytes = Uint8Array.from(atob(packed.replace(/\s/g, "")), (c) => c.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes(",") ? text : body;
  } catch {
    return body;
  }
}

/** The last number of each column, by the header: columns differ from service to service. */
async function lastNumbers(csv: string): Promise<Readonly<Record<string, number>>> {
  const last = new Map<string, number>();
  for (const row of await rowsOf(csv)) {
    for (const [name, cell] of Object.entries(row)) {
      if (name !== "" && cell !== "" && Number.isFinite(Number(cell))) last.set(name, Number(cell));
    }
  }
  return renamed([...last]);
}

async function rowsOf(csv: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const { parse } = await import("../../../deps/csv_parse.ts");
  try {
    return parse(csv, {
      bom: true,
      columns: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TemperError(
      "bad-result-file",
      `Cannot read the result file: it is not a CSV table (${found})`,
      {
        cause,
      },
    );
  }
}
