import { join } from "../../deps/path.ts";
import { shellWord } from "../../lib/text/shell_word.ts";
import type { SlurmSection } from "../../spec/schema/schema_engine.ts";
import { LOG_FILE } from "../job_files.ts";
import type { TrainerCommand } from "../engine.ts";
import { FOLDER, STATE_FILE } from "./state_file.ts";

export interface Script {
  readonly name: string;
  readonly comment: string;
  /** The job folder. */
  readonly dir: string;
  readonly section: SlurmSection;
  /** Text of the site's own lines. */
  readonly header: string | undefined;
  readonly command: TrainerCommand;
}

/** Seconds before the time limit at which Slurm sends the signal. */
const SIGNAL_SECONDS = 60;
/** Come with the job or the node, not with the script. */
const ELSEWHERE =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|(CUDA|NVIDIA)_VISIBLE_DEVICES|\w+_(proxy|PROXY)|SSL_CERT_\w+|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/;

/** The batch script: #SBATCH lines, the site's own lines, and the trainer on each worker. */
export function jobScript(script: Script): string {
  const { header, section, dir, command } = script;
  const workers = section.nodes * section.workers_per_node;
  return [
    "#!/bin/bash",
    ...options(script).map(([name, value]) =>
      `#SBATCH --${name}${value === undefined ? "" : `=${shellWord(value)}`}`
    ),
    "",
    ...header === undefined ? [] : [`# ${section.header}`, header.trimEnd(), ""],
    ...variables(command),
    `job=${shellWord(dir)}`,
    FUNCTIONS,
    `worker=${workers === 1 ? ONE : SEVERAL}`,
    ...workers === 1 ? [] : [
      `export WORLD_SIZE=${workers}`,
      'export MASTER_ADDR="${MASTER_ADDR:-$(uname -n)}" MASTER_PORT="${MASTER_PORT:-$((20000 + SLURM_JOB_ID % 20000))}"',
    ],
    `trainer=(${[command.program, ...command.args].map(shellWord).join(" ")})`,
    `srun=(srun --export=ALL --kill-on-bad-exit=1${
      section.cpus_per_worker === undefined ? "" : ` --cpus-per-task=${section.cpus_per_worker}`
    })`,
    MAIN,
    "",
  ].join("\n");
}

/** Options of sbatch that the script sets, and which a site's own lines must therefore not contain. */
export function options(
  { name, comment, dir, section }: Pick<Script, "name" | "comment" | "dir" | "section">,
): [name: string, value: string | undefined][] {
  const all: [string, string | number | undefined][] = [
    ["job-name", name],
    ["comment", comment],
    ["nodes", section.nodes],
    ["ntasks-per-node", section.workers_per_node],
    ["cpus-per-task", section.cpus_per_worker],
    ["gpus-per-node", section.gpus_per_node],
    ["mem", section.memory_per_node],
    ["time", section.time],
    ["partition", section.partition],
    ["account", section.account],
    ["chdir", dir],
    // A % in it would be a pattern.
    ["output", join(dir, LOG_FILE).replaceAll("%", "%%")],
    ["open-mode", "append"],
    ["signal", `B:USR1@${SIGNAL_SECONDS}`],
  ];
  const given = all.filter(([, value]) => value !== undefined).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return [...given, ["requeue", undefined]];
}

function variables({ env }: TrainerCommand): string[] {
  return Object.entries(env).filter(([name]) => !ELSEWHERE.test(name)).map(([name, value]) =>
    name === "PYTHONPATH"
      ? `export PYTHONPATH=${shellWord(value)}"\${PYTHONPATH:+:$PYTHONPATH}"`
      : `export ${name}=${shellWord(value)}`
  );
}

const FUNCTIONS = `
# What happened, one line of JSON each: Slurm forgets a job minutes after its end
say() {
  printf '\\n{"job":"%s","restart":%d,"nodes":"%s","at":%s}\\n' "$SLURM_JOB_ID" "\${SLURM_RESTART_COUNT:-0}" \\
    "$SLURM_JOB_NODELIST" "$1" >>"$job/${STATE_FILE}"
}
saved() { ls "$job/checkpoints" 2>/dev/null; }
`.trim();

const AFTER = `"$@"; code=$?; echo "$code" >"$job/${FOLDER}/exit-$SLURM_PROCID"`;
const ONE = `'trap : USR1 TERM; ${AFTER}; exit "$code"'`;
/**
 * Workers other than the first that leave as they should end nobody. One that failed ends all of them, once the first
 * has had the time to write down why.
 */
const SEVERAL = `'trap : USR1 TERM
export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID
${AFTER}
case $SLURM_PROCID,$code in 0,* | *,0) ;; *,3 | *,130) exit 0 ;; *) sleep 10 ;; esac
exit "$code"'`;

const MAIN = `export job

stop=
pid=
trap 'stop=1; [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null' USR1
before=$(saved)
say '"started"'
while :; do
  rm -f "$job"/${FOLDER}/exit-*
  "\${srun[@]}" bash -c "$worker" worker "\${trainer[@]}" &
  pid=$!
  [ -z "$stop" ] || kill -USR1 "$pid" 2>/dev/null
  wait "$pid"
  code=$?
  while kill -0 "$pid" 2>/dev/null; do
    wait "$pid"
    code=$?
  done
  died=
  for file in "$job"/${FOLDER}/exit-*; do
    [ -f "$file" ] || continue
    worker_code=$(cat "$file")
    case $worker_code in 0 | 130) continue ;; esac
    # The highest: one that was killed, before those that lost it
    if [ -z "$died" ] || [ "$worker_code" -gt "$code" ]; then
      code=$worker_code
      died=\${file##*-}
    fi
  done
  # 3: a trainer of this job is still at work, on a node that Slurm had given up
  if [ "$code" != 3 ] || [ -n "$stop" ] || [ "$SECONDS" -ge 600 ]; then break; fi
  sleep 5
done

why=
result=false
if [ -f "$job/result.json" ]; then
  result=true
elif [ -n "$stop" ]; then
  # Close to the time limit, or asked to make room: the trainer has written a checkpoint
  if [ "$before" = "$(saved)" ]; then
    why=no-progress
  else
    say '"requeued"'
    scontrol requeue "$SLURM_JOB_ID" && exit 0
    why=not-requeued
  fi
fi
say "\\"ended\\",\\"code\\":$code,\\"result\\":$result\${died:+,\\"worker\\":$died}\${why:+,\\"why\\":\\"$why\\"}"
exit "$code"`;
