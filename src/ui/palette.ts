/** Puts text in a style; without colour it returns the text as it is. */
export type Paint = (text: string) => string;

export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  readonly accent: Paint;
}

const plain: Paint = (text) => text;

/** The few styles temper uses, from the terminal's own 16 colours, so that its theme decides. */
export function createPalette(color: boolean): Palette {
  if (!color) return { bold: plain, dim: plain, good: plain, bad: plain, warn: plain, accent: plain };
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    good: style(32, 39),
    bad: style(31, 39),
    warn: style(33, 39),
    accent: style(36, 39),
  };
}

function style(on: number, off: number): Paint {
  return (text) => text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`;
}
