import type { Json, JsonObject } from "../../../lib/json/json.ts";
import type { Abilities } from "../../../providers/abilities.ts";
import { contentOf, reasoningOf } from "./content.ts";
import {
  type Complain,
  type Conversation,
  holdsHalfCharacter,
  isObject,
  kindOf,
  type RawConversation,
  type RawTurn,
  type Role,
  ROLES,
  type Turn,
} from "./conversation.ts";
import { parseJsonCell } from "../shapes/json_cell.ts";
import { learntOf } from "./learn_flags.ts";
import { MEDIA_FIELDS } from "../shapes/row_fields.ts";
import { withoutNulls } from "../shapes/row_view.ts";
import { type Call, isAnswerRole, isCallRole, ToolCalls } from "./tool_calls.ts";
import { toolsOf } from "./tools.ts";

/** Decides for a row's turns what is written, or complains and leaves the row out. */
export function checkConversation(
  raw: RawConversation,
  abilities: Abilities,
  complain: Complain,
): Conversation | undefined {
  if (!abilities.preference && raw.rejected) {
    return void complain("row", "is a preference pair, which can only be learned at a hosted service");
  }
  const turns = settleTurns(raw.turns, abilities, complain);
  const extras = turns && extrasOf(raw, abilities, complain);
  if (!extras) return undefined;
  if (turns.some(({ learnt }) => learnt)) return { turns, extras };
  const first = turns[0]?.field ?? "row";
  return turns.some(({ role }) => role === "assistant")
    ? void complain(first, "starts a conversation whose answers are all excluded from training")
    : void complain(first, "there is no assistant turn to train on");
}

function settleTurns(list: readonly RawTurn[], abilities: Abilities, complain: Complain): Turn[] | undefined {
  const calls = new ToolCalls();
  const turns: Turn[] = [];
  for (const item of list) {
    const raw = bare(item);
    const role = roleOf(raw, complain);
    if (!role) return undefined;
    const before = turns.at(-1);
    const continues = isCallRole(raw.role) && before?.role === "assistant";
    if (calls.waiting !== undefined && role !== "tool" && !continues) {
      return void complain(raw.field, `comes before tool call "${calls.waiting}" is answered`);
    }
    const turn = settleTurn(raw, role, calls, abilities, complain);
    if (!turn) return undefined;
    const whole = continues && before ? joined(before, turn, complain) : turn;
    if (!whole) return undefined;
    if (whole !== turn) turns.pop();
    turns.push(whole);
  }
  return turns;
}

/** Most turns have a text and nothing else that would have to be looked for. */
function bare({ field, role, content, view, key }: RawTurn): RawTurn {
  const alone = view === undefined || typeof content === "string" && !isCallRole(role) && view.isSpent;
  return alone || !key ? { field, role, content } : { field, role, content, view, key };
}

/** Calls in a turn of their own belong to the assistant's turn before. What both say must be the same. */
function joined(before: Turn, turn: Turn, complain: Complain): Turn | undefined {
  const { role: _role, content: _content, tool_calls: _calls, ...more } = turn.message;
  for (const [name, value] of Object.entries(more)) {
    if (Object.hasOwn(before.message, name) && before.message[name] !== value) {
      return void complain(
        turn.field,
        `is part of the same answer as the turn before, which has another ${name}`,
      );
    }
  }
  if (before.learnt !== turn.learnt) {
    return void complain(
      turn.field,
      "is part of the same answer as the turn before, which has another weight",
    );
  }
  const calls = [...before.calls, ...turn.calls];
  const message = { ...before.message, ...more, "tool_calls": calls };
  return { ...before, reasoning: before.reasoning || turn.reasoning, calls, message };
}

function extrasOf(raw: RawConversation, abilities: Abilities, complain: Complain): JsonObject | undefined {
  const tools = raw.offers && toolsOf(raw.offers, complain);
  if (tools === null) return undefined;
  const extras: { [name: string]: Json } = {};
  if (raw.rejected) {
    const other = settleTurn(raw.rejected, "assistant", new ToolCalls(), abilities, complain);
    if (!other) return undefined;
    extras["rejected"] = other.message;
  }
  const options = optionsOf(raw, abilities, complain);
  if (options === null) return undefined;
  if (options) extras["chat_template_kwargs"] = options;
  if (!tools) return extras;
  extras["tools"] = tools;
  const parallel = abilities.hosted ? raw.offers?.take("parallel_tool_calls") : undefined;
  if (parallel !== undefined) extras["parallel_tool_calls"] = parallel;
  return extras;
}

/** What a row gives to the base's own chat template by name, such as enable_thinking. `null` after a complaint. */
function optionsOf(
  { offers }: RawConversation,
  { hosted }: Abilities,
  complain: Complain,
): JsonObject | undefined | null {
  const name = "chat_template_kwargs";
  if (hosted || !offers?.has(name)) return undefined;
  const cell = offers.take(name);
  const parsed = parseJsonCell(cell);
  if (!parsed.ok) return complain(offers.at(name), parsed.reason, cell) ?? null;
  const options = withoutNulls(parsed.value as Json);
  if (isObject(options)) return options;
  return complain(offers.at(name), `is ${kindOf(options)}, not an object`, cell) ?? null;
}

function settleTurn(
  raw: RawTurn,
  role: Role,
  tools: ToolCalls,
  abilities: Abilities,
  complain: Complain,
): Turn | undefined {
  const calls = callsOf(raw, role, tools, complain);
  const learnt = calls && (raw.view ? learntOf(raw.view, role, complain) : true);
  if (!calls || learnt === undefined) return undefined;
  const silent = isCallRole(raw.role) ||
    calls.length > 0 && (raw.content === undefined || raw.content === null);
  const said = contentOf(silent ? { ...raw, content: "" } : raw, role, abilities, complain);
  const reasoning = said && reasoningOf(said, raw.field, complain);
  if (!said || reasoning === undefined) return undefined;
  const more = membersOf(raw, role, tools, abilities, complain);
  if (!more) return undefined;
  if (!`${said.text}${reasoning}`.isWellFormed() || holdsHalfCharacter([calls, more])) {
    return void complain(raw.field, "contains half of a surrogate pair", raw.content);
  }
  const content = !abilities.hosted ? said.text : silent ? null : said.parts ?? said.text;
  const message = {
    role,
    content,
    ...reasoning !== "" && { reasoning_content: reasoning },
    ...calls.length > 0 && { tool_calls: calls },
    ...more,
    ...role === "assistant" && !learnt && { weight: 0 },
  };
  return {
    field: raw.field,
    role,
    text: said.text,
    reasoning,
    calls,
    learnt: role === "assistant" && learnt,
    message,
  };
}

function callsOf(
  raw: RawTurn,
  role: Role,
  tools: ToolCalls,
  complain: Complain,
): readonly Call[] | undefined {
  if (!raw.view || !raw.key) return [];
  if (isCallRole(raw.role)) return tools.ofContent(raw.view, raw.key, complain);
  if (role === "assistant") return tools.ofMessage(raw.view, complain);
  const stray = ["tool_calls", "function_call"].find((name) => raw.view?.has(name));
  return stray === undefined
    ? []
    : void complain(raw.view.at(stray), "belongs to a turn of the assistant, not of the " + role);
}

/** What a message holds besides: whom a tool's turn answers, and names where they are learnt. */
function membersOf(
  { view, field }: RawTurn,
  role: Role,
  tools: ToolCalls,
  { hosted }: Abilities,
  complain: Complain,
): JsonObject | undefined {
  const media = view && MEDIA_FIELDS.find((name) => view.has(name) && view.peek(name) !== "");
  if (media !== undefined) return void complain(view?.at(media) ?? field, "contains media, not text");
  const members: { [name: string]: Json } = {};
  if (role === "tool") {
    const id = tools.answer(field, view?.take("tool_call_id"), view?.peek("name"), complain);
    if (id === undefined) return undefined;
    members["tool_call_id"] = id;
  }
  const taken = role === "tool" ? ["name"] : hosted ? ["name", "refusal"] : [];
  for (const name of taken) {
    const value = view?.take(name);
    if (value === undefined || value === "") continue;
    if (typeof value !== "string") {
      return void complain(view?.at(name) ?? field, `is ${kindOf(value)}, not a text`, value);
    }
    members[name] = value;
  }
  return members;
}

function roleOf({ role, field }: RawTurn, complain: Complain): Role | undefined {
  // OpenAI's newer name for the system's turn.
  if (role === "developer") return "system";
  if (isCallRole(role)) return "assistant";
  if (isAnswerRole(role)) return "tool";
  const known = ROLES.find((name) => name === role);
  if (known) return known;
  const place = field.replace(/\.(content|value)$/, field.endsWith(".value") ? ".from" : ".role");
  const found = typeof role === "string"
    ? `${JSON.stringify(role)}, which is none of ${ROLES.join(", ")}`
    : kindOf(role);
  return void complain(place, `is ${found}`, role);
}
