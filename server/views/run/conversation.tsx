/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, counted } from "../../../src/lib/text/format.ts";
import type { Conversation, Turn } from "../../answers/conversation.ts";

/** Of one text of a conversation; a page has up to fifty conversations. */
const MOST_TEXT = 8000;

/** The whole of a row as it was trained, folded: every turn with its reasoning and its calls, and the tools. */
export function FullConversation({ conversation }: { conversation: Conversation }) {
  const { messages, tools, rejected } = conversation;
  return (
    <details class="conversation">
      <summary>
        {counted(messages.length, "turn")}
        {tools && tools.length > 0 ? `, ${counted(tools.length, "tool")}` : ""}
      </summary>
      <ol>
        {messages.map((turn) => <OneTurn turn={turn} />)}
        {rejected ? <OneTurn turn={rejected} title="rejected answer" /> : null}
      </ol>
      {tools && tools.length > 0
        ? (
          <>
            <h3>Tools</h3>
            <ul>
              {tools.map((tool) => (
                <li>
                  <details>
                    <summary>
                      <code>{tool.function?.name ?? "tool"}</code> {tool.function?.description ?? ""}
                    </summary>
                    <Code text={JSON.stringify(tool, null, 2)} label={`Tool ${tool.function?.name ?? ""}`} />
                  </details>
                </li>
              ))}
            </ul>
          </>
        )
        : null}
    </details>
  );
}

/** The same of a run that kept no conversations: all the text that the model was given. */
export function FullPrompt({ text }: { text: string }) {
  return (
    <details class="conversation">
      <summary>whole prompt</summary>
      <Code text={text} label="Whole prompt" />
    </details>
  );
}

function OneTurn({ turn, title }: { turn: Turn; title?: string }) {
  const { role, name, content, reasoning_content: reasoning, tool_calls: calls, tool_call_id: answered } =
    turn;
  return (
    <li class={`turn ${role}`}>
      <p class="role">
        {title ?? role}
        {name ? <code>{name}</code> : null}
        {answered ? <span class="soft">answers call {answered}</span> : null}
        {turn.weight === 0 ? <span class="soft">not trained</span> : null}
      </p>
      {reasoning
        ? (
          <div class="reasoning">
            <p class="soft">reasoning</p>
            <Text text={reasoning} />
          </div>
        )
        : null}
      {typeof content === "string"
        ? content === "" ? null : <Text text={content} />
        : content
        ? <Code text={JSON.stringify(content, null, 2)} label="Content in parts" />
        : null}
      {calls?.map(({ id, function: fn }) => (
        <div class="call">
          <p>
            calls <code>{fn.name}</code> {id ? <span class="soft">{id}</span> : null}
          </p>
          <Code text={argumentsText(fn.arguments)} label={`Arguments of ${fn.name}`} />
        </div>
      ))}
    </li>
  );
}

/** Arguments are JSON text; what is none is shown as it is. */
function argumentsText(given: unknown): string {
  if (typeof given !== "string") return JSON.stringify(given, null, 2) ?? "";
  try {
    return JSON.stringify(JSON.parse(given), null, 2);
  } catch {
    return given;
  }
}

function Text({ text }: { text: string }) {
  return (
    <div class="text" dir="auto">
      {text.slice(0, MOST_TEXT).toWellFormed()}
      <More length={text.length} />
    </div>
  );
}

function Code({ text, label }: { text: string; label: string }) {
  return (
    <pre class="terminal" tabindex={0} aria-label={label}>
      {text.slice(0, MOST_TEXT).toWellFormed()}
      <More length={text.length} />
    </pre>
  );
}

function More({ length }: { length: number }) {
  if (length <= MOST_TEXT) return null;
  return <span class="soft">{` … ${count(length - MOST_TEXT)} more characters`}</span>;
}
