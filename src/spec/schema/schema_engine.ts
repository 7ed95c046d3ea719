import { z } from "../../deps/zod.ts";
import { VARIABLE } from "./schema_provider.ts";

const path = z.string().min(1);

/** Of a cluster: its nodes and what runs on each. */
const nodes = z.int().min(1).max(4096).default(1).meta({ description: "Number of nodes" });
const workersPerNode = z.int().min(1).max(64).default(1).meta({
  description: "Processes on each node: one for each GPU, or one where the CPU computes",
});
const python = path.optional().meta({
  description:
    "Python on the cluster that has what the trainer imports. Default: TEMPER_PYTHON, else the environment that temper installs, whose folder (TEMPER_CACHE) the nodes must share",
});
const pollSeconds = z.number().min(0.1).max(600).default(10).meta({
  description: "Seconds between two questions about the job's state",
});

const local = z.strictObject({
  kind: z.literal("local").meta({ description: "On this machine" }),
  workers_per_node: workersPerNode,
});

/** A word for sbatch: it must not be read as more than one. */
const word = z.string().regex(/^[\w.,:@/+=*-]+$/, "must not contain spaces or quotes");

const slurm = z.strictObject({
  kind: z.literal("slurm").meta({ description: "As a batch job of a Slurm cluster, sent with sbatch" }),
  nodes,
  workers_per_node: workersPerNode,
  time: z.string().regex(
    /^(\d+|\d+:\d{2}|\d+:\d{2}:\d{2}|\d+-\d+(:\d{2}){0,2})$/,
    'must be a time limit of Slurm, such as "04:00:00" or "2-00"',
  ).optional().meta({
    description:
      'Time limit in quotes: "HH:MM:SS", "MINUTES" or "DAYS-HH". One minute before it, the trainer writes a checkpoint and the job is requeued. Default: the partition\'s',
  }),
  partition: word.optional().meta({ description: "Partition to run in. Default: the cluster's" }),
  account: word.optional().meta({ description: "Account to charge. Default: the user's" }),
  gpus_per_node: word.optional().meta({
    description: "GPUs of each node, as sbatch takes them: 4 or a100:4. Default: none are asked for",
  }),
  cpus_per_worker: z.int().min(1).max(1024).optional().meta({
    description: "CPUs of each worker. Default: the cluster's, usually 1",
  }),
  memory_per_node: z.string().regex(/^\d+[KMGT]?$/, "must be a size such as 64G").optional().meta({
    description: "Memory of each node, such as 64G. Default: the cluster's",
  }),
  header: path.optional().meta({
    description:
      "A file with the site's own lines, relative to this file: #SBATCH options, modules, a container. Copied into the job's script unchanged, before the trainer starts",
  }),
  python,
  poll_seconds: pollSeconds,
});

export const ray = z.strictObject({
  kind: z.literal("ray").meta({ description: "As a job of a Ray cluster, sent to its dashboard" }),
  address: z.url({ protocol: /^https?$/ }).meta({
    description: "Address of the cluster's dashboard, such as http://head:8265",
  }),
  auth_env: z.string().regex(VARIABLE, "must name an environment variable, such as RAY_AUTH_TOKEN").optional()
    .meta({
      description:
        "Name of the environment variable that contains the cluster's token, or USER:PASSWORD. It is never written anywhere, nor sent over http:// to another machine",
    }),
  nodes,
  workers_per_node: workersPerNode,
  num_cpus: z.int().min(1).max(1024).default(1).meta({
    description: "CPUs that each worker reserves, and the threads it computes with",
  }),
  num_gpus: z.int().min(0).max(1).default(0).meta({
    description: "GPUs that each worker reserves: it computes on one, or on its CPUs",
  }),
  shared: z.boolean().default(true).meta({
    description:
      "Whether the nodes see the run's folder under the same path. false: the job is sent along, and its files are fetched back",
  }),
  python,
  poll_seconds: pollSeconds,
});

export const engine = z.discriminatedUnion("kind", [local, slurm, ray]).prefault({ kind: "local" });
export type EngineSection = z.infer<typeof engine>;
export type SlurmSection = z.infer<typeof slurm>;
export type RaySection = z.infer<typeof ray>;
