import { CST, Lexer } from "../../../src/deps/yaml_lexer.ts";

/** A piece of the text and how it is shown. Put together, the pieces are the text. */
export interface Piece {
  readonly text: string;
  readonly style: "key" | "string" | "comment" | "mark" | undefined;
}

/** Marks that the lexer puts between pieces and that are not in the text. */
const CONTROL = ["\u0002", "\u0018", "\u001f"];

/** Cuts YAML into pieces by the lexer that reads pipelines. What it cannot read is shown as it is. */
export function yamlPieces(text: string): Piece[] {
  const pieces: { text: string; style: Piece["style"] }[] = [];
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (CONTROL.includes(token)) {
      isScalar = token === "\u001f";
      continue;
    }
    const type = isScalar ? "scalar" : CST.tokenType(token);
    isScalar = false;
    if (type === "map-value-ind") markKey(pieces);
    pieces.push({ text: token, style: styleOf(type) });
  }
  return pieces;
}

function styleOf(type: string | null): Piece["style"] {
  switch (type) {
    case "comment":
      return "comment";
    case "single-quoted-scalar":
    case "double-quoted-scalar":
      return "string";
    case "map-value-ind":
    case "seq-item-ind":
    case "comma":
    case "flow-map-start":
    case "flow-map-end":
    case "flow-seq-start":
    case "flow-seq-end":
    case "anchor":
    case "tag":
    case "alias":
      return "mark";
    default:
      return undefined;
  }
}

/** Text before a colon is a key. */
function markKey(pieces: { text: string; style: Piece["style"] }[]): void {
  for (let i = pieces.length - 1; i >= 0; i--) {
    if (pieces[i]!.text.trim() === "") continue;
    pieces[i]!.style = "key";
    return;
  }
}

export function Yaml({ text }: { text: string }) {
  return (
    <>
      {yamlPieces(text).map((piece) =>
        piece.style ? <span class={`y-${piece.style}`}>{piece.text}</span> : piece.text
      )}
    </>
  );
}

/** A Modelfile: its comments, and the word each instruction begins with. */
export function Modelfile({ text }: { text: string }) {
  return (
    <>
      {text.split(/(?<=\n)/).map((line) => {
        if (line.startsWith("#")) return <span class="y-comment">{line}</span>;
        const [, word = "", rest = line] = /^([A-Z]+)(?= )(.*)$/s.exec(line) ?? [];
        return word === "" ? line : (
          <>
            <span class="y-key">{word}</span>
            {rest}
          </>
        );
      })}
    </>
  );
}
