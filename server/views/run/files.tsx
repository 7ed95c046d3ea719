/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { basename, join } from "../../../src/deps/path.ts";
import { bytes } from "../../../src/lib/text/format.ts";
import type { RunState } from "../../../src/log/run_state.ts";
import { Hash } from "../../../src/pages/parts.tsx";
import type { TrainerEnd } from "../../files/trainer_log.ts";
import type { LogEntry } from "../../log_store.ts";
import type { Part } from "../../run_files.ts";
import { Modelfile, Yaml } from "./yaml.tsx";

/** What the run has left, with what proves that it is still that. */
export function Artifacts({ state, dir }: { state: RunState; dir: string }) {
  if (state.artifacts.length === 0) return null;
  return (
    <section aria-labelledby="artifacts">
      <h2 id="artifacts">Artifacts</h2>
      <div class="scroll" tabindex={0} role="group" aria-label="Artifacts">
        <table class="artifacts">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col" class="n">Size</th>
              <th scope="col">Path in the run's folder</th>
              <th scope="col">sha256</th>
            </tr>
          </thead>
          <tbody>
            {state.artifacts.map(({ kind, path, bytes: size, sha256 }) => (
              <tr>
                <th scope="row">{kind}</th>
                <td class="n">{bytes(size)}</td>
                <td class="place">
                  <span data-copy={join(dir, path)} data-what="path">{path}</span>
                </td>
                <td>
                  <Hash value={sha256} what="sha256" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface FilesProps {
  readonly pipeline: Part<string>;
  /** The same with every value filled in, where that is not the same. */
  readonly effective: string | undefined;
  readonly modelfile: Part<string>;
  readonly path: string;
}

export function Files({ pipeline, effective, modelfile, path }: FilesProps) {
  return (
    <>
      <div class="pipelines">
        <Text title="Pipeline" note={basename(path)} part={pipeline} open>
          {pipeline.value === undefined ? null : <Yaml text={pipeline.value} />}
        </Text>
        {effective === undefined ? null : (
          <Text
            title="Effective pipeline"
            note="with every value it ran with"
            part={{ value: effective }}
            open
          >
            <Yaml text={effective} />
          </Text>
        )}
      </div>
      <Text title="Modelfile" note="how Ollama serves the model" part={modelfile}>
        {modelfile.value === undefined ? null : <Modelfile text={modelfile.value} />}
      </Text>
    </>
  );
}

interface LogsProps {
  readonly id: string;
  readonly events: readonly LogEntry[];
  readonly trainer: Part<TrainerEnd>;
}

/** What happened last. The page's script goes on with both where they end. */
export function Logs({ id, events, trainer: { value, problem } }: LogsProps) {
  return (
    <>
      <LogHead id={id} title="Log" file="events.jsonl" all={events[0]?.seq === 1} />
      <div class="log-frame">
        <pre
          class="terminal tail"
          tabindex={0}
          aria-label="Events"
          id="events"
          data-end={events.at(-1)?.seq ?? 0}
        >
          {events.map(({ t, type, text }) => (
            <span class={`e ${type.replace(".", "-")}`}><time datetime={t}>{t.slice(11, 19)}</time>{`  ${text}\n`}</span>
          ))}
        </pre>
      </div>
      {problem === undefined ? null : <p class="error">{problem}</p>}
      {value === undefined ? null : (
        <>
          <LogHead id={id} title="Trainer output" file="trainer.log" all={!value.cut} />
          <div class="log-frame">
            <pre
              class="terminal tail"
              tabindex={0}
              aria-label="Trainer output"
              id="trainer"
              data-end={value.to}
            >
              {value.lines.map((line) => <span>{`${line}\n`}</span>)}
              {value.unfinished.trim() === "" ? null : <span data-unfinished>{value.unfinished}</span>}
            </pre>
          </div>
        </>
      )}
    </>
  );
}

function LogHead({ id, title, file, all }: { id: string; title: string; file: string; all: boolean }) {
  return (
    <div class="log-head">
      <h2 id={file === "events.jsonl" ? "log" : undefined}>{title}</h2>
      <span class="soft">{all ? "" : "its end; "}</span>
      <a href={`/runs/${encodeURIComponent(id)}/${file}`} download>{file}</a>
    </div>
  );
}

function Text(
  { title, note, part: { value, problem }, open, children }: {
    title: string;
    note: string;
    part: Part<unknown>;
    open?: boolean;
    children?: unknown;
  },
) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (value === undefined) return null;
  return (
    <details open={open}>
      <summary>
        <h2>{title}</h2> <span class="soft">{note}</span>
      </summary>
      <pre class="source" tabindex={0} aria-label={title}>{children}</pre>
    </details>
  );
}
