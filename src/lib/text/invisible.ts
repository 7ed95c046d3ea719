/**
 * Characters that show nothing where they stand: zero-width ones, joiners, marks of direction, soft hyphens, fillers.
 * Between others they can matter (an emoji's joiner), but alone they are no text.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/gu;

/** The text without them. */
export function withoutInvisible(text: string): string {
  // Most texts are plain ASCII, which has none.
  return /^\p{ASCII}*$/u.test(text) ? text : text.replace(INVISIBLE, "");
}
