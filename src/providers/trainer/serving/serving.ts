import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";

/** In the folder that configure leaves, and so in the job folder. */
export const SERVING_FILE = "serving.json";

const Serving = z.object({
  version: z.literal(1),
  /** Name to serve the model under. */
  model: z.string(),
  /** Go's text/template over .Messages; absent where the file's own chat template is the only one that is exact. */
  template: z.string().optional(),
  /** The chat template inside the file, where that is one in Jinja of the base's or the user's. */
  chat_template: z.string().optional(),
  /** What requests have to say of thinking to be answered as was trained; absent where they may leave it out. */
  think: z.literal(false).optional(),
  /** For conversations that do not begin with a system prompt of their own. */
  system: z.string().optional(),
  /** PARAMETER lines of the Modelfile; several values of one name are a list. */
  parameters: z.record(z.string(), z.union([z.number(), z.array(z.string())])),
}).readonly();
/** What a server needs to know of an exported model besides its weights. The Modelfile says the same. */
export type Serving = z.infer<typeof Serving>;

export async function writeServing(folder: string, serving: Serving, fs: Fs): Promise<void> {
  await fs.writeAtomic(join(folder, SERVING_FILE), JSON.stringify(serving, null, 2) + "\n");
}

/** `undefined` where no file to serve was asked for. */
export async function readServing(folder: string, fs: Fs): Promise<Serving | undefined> {
  const path = join(folder, SERVING_FILE);
  if (!await fs.stat(path)) return undefined;
  try {
    return Serving.parse(JSON.parse(await fs.readText(path)));
  } catch (cause) {
    throw new TemperError("bad-serving", `Cannot read "${path}": it is not what configure wrote`, { cause });
  }
}
