// deno-lint-ignore-file camelcase -- names of the protocol
/**
 * A service that speaks OpenAI's fine-tuning protocol over real HTTP and remembers what it was asked. Jobs go on by one
 * stage at each look at them. Knows nothing of temper.
 */
/** The arguments are JSON text. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: string;
}

export interface MockOptions {
  readonly dialect?: "openai" | "nebius" | "azure";
  /** How jobs end. @default succeeded */
  readonly outcome?: { readonly code: string; readonly message: string; readonly param?: string };
  /** States before the end. */
  readonly stages?: readonly string[];
  readonly port?: number;
  /** Milliseconds from a request's arrival to its effect. */
  readonly slowMs?: number;
  readonly base64?: boolean;
  /** Text of the result file, in place of a plain table. */
  readonly table?: string;
  /** What models answer: the tuned one always knows. */
  readonly answer?: (model: string, messages: readonly Message[]) => string;
  /** Tools that they call instead. */
  readonly calls?: (model: string, messages: readonly Message[]) => readonly ToolCall[];
  readonly messyEvents?: boolean;
  /** Healthy jobs have `error: null`, as the description says. The real service answers `{}`. @default false */
  readonly asDescribed?: boolean;
  /** Seconds that jobs are old when they are created. */
  readonly age?: number;
  /**
   * Told of every call when it arrives and when it has had its effect, before the answer leaves. Returning "drop" on
   * arrival makes it a call that never came.
   */
  readonly onCall?: (call: Call, moment: "arrived" | "done", number: number) => unknown;
}

export interface Message {
  readonly role: string;
  readonly content: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: unknown;
  readonly authorization: string | null;
  status: number;
  reply: unknown;
}

type Obj = Record<string, unknown>;
const STAGES = ["validating_files", "queued", "running"];
const STEPS = 4;

export class MockService implements AsyncDisposable {
  readonly files = new Map<string, { object: Obj; content: string }>();
  readonly jobs: Obj[] = [];
  readonly uploads = new Map<string, { object: Obj; parts: Map<string, Uint8Array> }>();
  readonly calls: Call[] = [];
  readonly #stage = new Map<string, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #ids = 0;
  #seen = 0;

  constructor(public options: MockOptions = {}) {
    this.#server = Deno.serve(
      { port: options.port ?? 0, hostname: "127.0.0.1", onListen() {} },
      (r) => this.#handle(r),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/v1`;
  }

  count(method: string, path: RegExp): number {
    return this.calls.filter((call) => call.method === method && path.test(call.path)).length;
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/v1/, "");
    const isForm = request.headers.get("content-type")?.startsWith("multipart/form-data");
    const form = isForm ? await request.formData() : undefined;
    const text = form ? "" : await request.text();
    const body = form ? Object.fromEntries(form) : text === "" ? undefined : JSON.parse(text);
    if (this.options.slowMs) await new Promise((resolve) => setTimeout(resolve, this.options.slowMs));
    const authorization = request.headers.get("authorization");
    const call: Call = {
      method: request.method,
      path,
      query: url.search,
      body,
      authorization,
      status: 200,
      reply: null,
    };
    const number = ++this.#seen;
    if (this.options.onCall?.(call, "arrived", number) === "drop") return new Response(null, { status: 503 });
    this.calls.push(call);
    const reply = await this.#route(call, url.searchParams);
    this.options.onCall?.(call, "done", number);
    if (typeof reply === "string") return new Response(reply);
    call.reply = structuredClone(reply);
    return Response.json(reply, {
      status: call.status,
      headers: { "x-request-id": `req_${this.calls.length}` },
    });
  }

  async #route(call: Call, query: URLSearchParams): Promise<unknown> {
    const { method, path } = call;
    const [, root, a, b, c] = path.split("/");
    const post = method === "POST";
    if (!call.authorization?.startsWith("Bearer ")) {
      return fail(call, 401, "invalid_api_key", "Incorrect API key provided");
    }
    if (root === "files") {
      return post ? await this.#createFile(call.body as Obj) : this.#readFiles(call, query, a, b);
    }
    if (root === "uploads") return await this.#upload(call, a, b);
    if (path === "/chat/completions") return this.#chat(call.body as Obj);
    if (root !== "fine_tuning" || a !== "jobs") return fail(call, 404, null, `Unknown path ${path}`);
    if (b === undefined) return post ? this.#createJob(call) : this.#list(query);
    const job = this.jobs.find(({ id }) => id === b);
    if (!job) return fail(call, 404, "resource_not_found", `Could not find fine tune: ${b}`);
    if (c === "cancel") return this.#cancel(call, job);
    if (c === "events") return this.#page(this.#events(job), query, 20);
    if (c === "checkpoints") return this.#checkpoints(job);
    return this.#advance(job);
  }

  #id(kind: string): string {
    return `${kind}${String(++this.#ids).padStart(6, "0")}`;
  }

  #addFile(filename: string, content: string, purpose: string): Obj {
    const object = {
      id: this.#id("file-"),
      object: "file",
      bytes: new TextEncoder().encode(content).length,
      created_at: now(),
      filename,
      purpose,
      status: "processed",
    };
    this.files.set(object.id, { object, content });
    return object;
  }

  async #createFile({ file, purpose }: Obj): Promise<Obj> {
    return this.#addFile((file as File).name, await (file as File).text(), String(purpose));
  }

  #readFiles(call: Call, query: URLSearchParams, id: string | undefined, sub: string | undefined): unknown {
    if (id === undefined) {
      const all = [...this.files.values()].map(({ object }) => object).reverse();
      return this.#page(
        all.filter(({ purpose }) => !query.has("purpose") || purpose === query.get("purpose")),
        query,
        10_000,
      );
    }
    const file = this.files.get(id);
    if (!file) return fail(call, 404, null, `No such File object: ${id}`);
    return sub === "content" ? file.content : file.object;
  }

  async #upload(call: Call, id: string | undefined, sub: string | undefined): Promise<unknown> {
    const body = call.body as Obj;
    if (id === undefined) {
      const object: Obj = {
        id: this.#id("upload_"),
        object: "upload",
        status: "pending",
        created_at: now(),
        expires_at: now() + 3600,
        ...body,
      };
      delete object["mime_type"];
      this.uploads.set(String(object["id"]), { object, parts: new Map() });
      return object;
    }
    const upload = this.uploads.get(id);
    if (!upload) return fail(call, 404, null, `No such upload: ${id}`);
    if (sub === "parts") {
      const part = this.#id("part_");
      upload.parts.set(part, new Uint8Array(await (body["data"] as File).arrayBuffer()));
      return { id: part, object: "upload.part", created_at: now(), upload_id: id };
    }
    const bytes = (body["part_ids"] as string[]).map((part) =>
      new TextDecoder().decode(upload.parts.get(part))
    ).join("");
    const file = this.#addFile(String(upload.object["filename"]), bytes, "fine-tune");
    if (file["bytes"] !== upload.object["bytes"]) return fail(call, 400, null, "bytes do not match");
    Object.assign(upload.object, { status: "completed", file });
    return upload.object;
  }

  #createJob(call: Call): unknown {
    const body = call.body as Obj;
    const { dialect = "openai" } = this.options;
    if (dialect === "nebius" && (body["metadata"] || body["method"])) {
      call.status = 422;
      return {
        detail: [{
          loc: ["body", "metadata"],
          msg: "Extra inputs are not permitted",
          type: "extra_forbidden",
        }],
      };
    }
    if (dialect === "azure" && !body["trainingType"]) {
      return fail(call, 400, "invalid_request", "The specified base model does not support fine-tuning");
    }
    if (!this.files.has(String(body["training_file"]))) return fail(call, 400, null, "invalid training_file");
    const { suffix, model, method, metadata = null, seed = 0, training_file, validation_file = null } = body;
    const job: Obj = {
      id: this.#id("ftjob-"),
      object: "fine_tuning.job",
      created_at: now() - (this.options.age ?? 0),
      finished_at: null,
      model,
      fine_tuned_model: null,
      organization_id: dialect === "azure" ? null : "org-mock",
      result_files: dialect === "azure" ? null : [],
      status: dialect === "azure" ? "pending" : this.#stages()[0],
      trained_tokens: null,
      training_file,
      validation_file,
      hyperparameters: body["hyperparameters"] ?? { n_epochs: 3, batch_size: 1, learning_rate_multiplier: 1 },
      integrations: [],
      seed,
      estimated_finish: null,
      method,
      metadata: dialect === "openai" ? metadata : null,
      error: dialect === "openai" ? {} : null,
      user_provided_suffix: suffix,
    };
    if (this.options.asDescribed) job["error"] = null;
    this.jobs.push(job);
    return job;
  }

  #list(query: URLSearchParams): unknown {
    const wanted = [...query].filter(([name]) => name.startsWith("metadata["));
    const jobs = this.jobs.filter((job) =>
      wanted.every(([name, value]) => (job["metadata"] as Obj | null)?.[name.slice(9, -1)] === value)
    );
    return this.#page([...jobs].reverse(), query, 20);
  }

  #page(all: readonly Obj[], query: URLSearchParams, most: number): Obj {
    const after = query.get("after");
    const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const limit = Number(query.get("limit") ?? most);
    const data = all.slice(start, start + limit);
    return {
      object: "list",
      data,
      has_more: start + limit < all.length,
      first_id: data[0]?.["id"] ?? "",
      last_id: data.at(-1)?.["id"] ?? "",
    };
  }

  #stages(): readonly string[] {
    return this.options.stages ?? STAGES;
  }

  #advance(job: Obj): Obj {
    const id = String(job["id"]);
    const { dialect = "openai", outcome } = this.options;
    if (["succeeded", "failed", "cancelled"].includes(String(job["status"]))) return job;
    const stage = (this.#stage.get(id) ?? -1) + 1;
    this.#stage.set(id, stage);
    const stages = this.#stages();
    if (stage < stages.length) return Object.assign(job, { status: stages[stage] });
    if (outcome) {
      return Object.assign(job, { status: "failed", finished_at: now(), error: { param: null, ...outcome } });
    }
    const csv = this.options.table ??
      "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.0,0.4,2.1,0.4\n4,0.5,0.9,0.7,0.8\n";
    const result = dialect === "azure"
      ? null
      : this.#addFile("step_metrics.csv", this.options.base64 ? btoa(csv) : csv, "fine-tune-results");
    return Object.assign(job, {
      status: "succeeded",
      finished_at: now(),
      fine_tuned_model: `ft:${job["model"]}:org:${job["user_provided_suffix"]}:${id.slice(-4)}`,
      trained_tokens: 12_345,
      result_files: result ? [result["id"]] : null,
    });
  }

  #cancel(call: Call, job: Obj): unknown {
    if (["succeeded", "failed", "cancelled"].includes(String(job["status"]))) {
      return fail(call, 400, "invalid_request", "Job has already completed");
    }
    return Object.assign(job, { status: "cancelled", finished_at: now() });
  }

  #events(job: Obj): Obj[] {
    const at = Number(job["created_at"]);
    const event = (n: number, message: string, data?: Obj): Obj => ({
      object: "fine_tuning.job.event",
      id: `ftevent-${job["id"]}-${n}`,
      created_at: at + n,
      level: "info",
      message,
      type: data ? "metrics" : "message",
      ...data && { data },
    });
    const events = [event(0, "Created fine-tuning job")];
    const running = ["running", "succeeded", "failed"].includes(String(job["status"]));
    const loss = this.options.dialect === "nebius" ? "training_loss" : "train_loss";
    for (let step = 1; running && step <= STEPS; step++) {
      events.push(event(step, `Step ${step}/${STEPS}`, { step, total_steps: STEPS, [loss]: 2 / step }));
    }
    if (job["status"] === "succeeded") events.push(event(STEPS + 1, "The job has successfully completed"));
    const { messyEvents } = this.options;
    return messyEvents ? [...events, ...events.slice(0, 2)] : events.reverse();
  }

  #checkpoints(job: Obj): Obj {
    const done = job["status"] === "succeeded";
    const data = done
      ? [{
        id: `ftckpt_${job["id"]}`,
        object: "fine_tuning.job.checkpoint",
        created_at: now(),
        fine_tuned_model_checkpoint: `${job["fine_tuned_model"]}:ckpt-step-4`,
        fine_tuning_job_id: job["id"],
        step_number: 4,
        metrics: { step: 4, train_loss: 0.5 },
      }]
      : [];
    return {
      object: "list",
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data[0]?.id ?? null,
    };
  }

  #chat({ model, messages }: Obj): Obj {
    const calls = this.options.calls?.(String(model), messages as Message[]) ?? [];
    const content = calls.length > 0
      ? null
      : this.options.answer?.(String(model), messages as Message[]) ?? "?";
    const called = calls.map((fn, i) => ({ id: `call_${i}`, type: "function", function: fn }));
    return {
      id: this.#id("chatcmpl-"),
      object: "chat.completion",
      created: now(),
      model,
      choices: [{
        index: 0,
        finish_reason: "stop",
        logprobs: null,
        message: { role: "assistant", content, refusal: null, ...calls.length > 0 && { tool_calls: called } },
      }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
  }
}

function fail(call: Call, status: number, code: string | null, message: string): Obj {
  call.status = status;
  return { error: { message, type: "invalid_request_error", param: null, code } };
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
