import { TemperError } from "../../lib/errors.ts";
import { counted } from "../../lib/text/format.ts";
import type { RaySection } from "../../spec/schema/schema_engine.ts";
import type { EngineEnv, EngineFinding } from "../engine.ts";
import { type Node, RayCluster } from "./cluster.ts";

/** Whether the cluster answers, and whether its nodes have what the section's workers need. */
export async function diagnose(
  section: RaySection,
  { env }: EngineEnv,
  signal: AbortSignal,
): Promise<EngineFinding> {
  try {
    const cluster = new RayCluster(section, env, signal);
    const { ray_version: version } = await cluster.version();
    return enough(section, await cluster.nodes(), `Ray ${version} at ${cluster.shown}`);
  } catch (error) {
    if (!(error instanceof TemperError)) throw error;
    return { state: "missing", found: error.message, ...error.hint !== undefined && { fix: error.hint } };
  }
}

function enough(section: RaySection, nodes: readonly Node[], cluster: string): EngineFinding {
  const total = (what: keyof Node) => nodes.reduce((sum, node) => sum + node[what], 0);
  const has = `${counted(nodes.length, "node")}, ${total("cpus")} CPUs, ${total("gpus")} GPUs`;
  const [cpus, gpus] = [section.num_cpus, section.num_gpus].map((each) => each * section.workers_per_node);
  const fit = nodes.filter((node) => node.cpus >= cpus! && node.gpus >= gpus!).length;
  if (fit >= section.nodes) return { state: "ok", found: `${cluster}: ${has}` };
  const each = `${cpus} CPUs${gpus === 0 ? "" : ` and ${gpus} GPUs`}`;
  return {
    state: "warn",
    found: `${cluster}: ${has}; the workers need ${counted(section.nodes, "node")} with ${each}, ${fit} ${
      fit === 1 ? "has" : "have"
    } that`,
    fix: "Start more nodes, or lower engine.nodes, workers_per_node or num_cpus: until then the job waits",
  };
}
