/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { createContext, useContext } from "../../src/deps/hono.ts";

/** Whether the page is shown within a session, which can be ended. */
export const SignedIn = createContext(false);

/** Ends the session. Nothing where there is none. */
export function SignOut() {
  if (!useContext(SignedIn)) return null;
  return (
    <form class="sign-out" method="post" action="/logout">
      <button type="submit">Sign out</button>
    </form>
  );
}
