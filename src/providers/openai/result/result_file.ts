import { join } from "../../../deps/path.ts";
import type { MonitorWork } from "../../provider.ts";
import { renamed } from "../job/job_events.ts";
import type { JobView } from "../job/job_view.ts";
import type { Service } from "../service.ts";

export const RESULT_FILE = "metrics.csv";

/** The service's own table of the training: kept as a file, its last numbers returned. Absent at some services. */
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
  return lastNumbers(csv);
}

/** Some services wrap the table in base64. */
export function plainCsv(body: string): string {
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
export function lastNumbers(csv: string): Readonly<Record<string, number>> {
  const [header = "", ...lines] = csv.split(/\r?\n/).filter((line) => line.trim() !== "");
  const names = header.split(",").map((name) => name.trim().replace(/^"|"$/g, ""));
  const last = new Map<string, number>();
  for (const line of lines) {
    for (const [i, cell] of line.split(",").entries()) {
      const text = cell.trim().replace(/^"|"$/g, "");
      const name = names[i];
      if (name && text !== "" && Number.isFinite(Number(text))) last.set(name, Number(text));
    }
  }
  return renamed([...last]);
}
