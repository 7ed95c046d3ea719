/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { Layout } from "./layout.tsx";

/** Asks for the token. `next`: the path that is shown then. */
export function SignInPage({ next, problem }: { next: string; problem: string | undefined }) {
  return (
    <Layout title="Sign in · temper">
      <form class="sign-in" method="post" action="/login">
        <h1>Sign in</h1>
        {problem === undefined ? null : <p class="problem" id="problem" role="alert">{problem}</p>}
        <input type="hidden" name="next" value={next} />
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          aria-describedby={problem === undefined ? "where" : "problem where"}
          {...problem === undefined ? {} : { "aria-invalid": "true" }}
        />
        <button type="submit">Sign in</button>
        <p id="where">
          The token that the server was started with. With <code>--token auto</code>{" "}
          it is part of the address that was printed.
        </p>
      </form>
    </Layout>
  );
}
