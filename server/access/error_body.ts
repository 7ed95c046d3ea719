/** An error of the API. */
export function errorBody(code: string, message: string, hint?: string) {
  return { error: { code, message, hint: hint ?? null } };
}
