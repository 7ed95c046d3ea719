/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { createHash, timingSafeEqual } from "node:crypto";
import {
  type Child,
  type Context,
  getCookie,
  type MiddlewareHandler,
  setCookie,
} from "../../src/deps/hono.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { tokenProblem } from "../../src/lib/net/token.ts";
import { duration } from "../../src/lib/text/format.ts";
import { SignInPage } from "../views/sign_in.tsx";
import { SignedIn } from "../views/sign_out.tsx";
import { Attempts } from "./attempts.ts";
import { clientOf, type ProxyTrust } from "./client.ts";
import { errorBody } from "./error_body.ts";
import { SESSION_SECONDS, Sessions } from "./sessions.ts";

export const SIGN_IN = "/login";
export const SIGN_OUT = "/logout";
/** A form with a token is far smaller. */
const MOST_FORM = 4096;

export interface TokenOptions extends ProxyTrust {
  readonly token: string;
}

/** What became of a token that was shown. */
type Verdict = "right" | "wrong" | { readonly waitMs: number };

/**
 * Lets those through who show the token: programs in each request's header, people once, on a page or as a link. A
 * browser is then given a cookie that names its session.
 */
export function withToken(options: TokenOptions, clock: Clock): MiddlewareHandler {
  const problem = tokenProblem(options.token);
  if (problem !== undefined) throw new TemperError("bad-token", `Cannot use the token: ${problem}`);
  const door = new Door(options, clock);
  return async (c, next) => {
    const { path } = c.req;
    if (path === "/healthz" || path.startsWith("/static/")) return await next();
    if (c.req.method === "POST") return path === SIGN_OUT ? door.signOut(c) : await door.signIn(c);
    return door.redirect(c) ?? door.refuse(c) ?? await next();
  };
}

/**
 * Where a redirect may lead: a path of this server. "//evil.example", "/\evil.example" and "/.//evil.example" are
 * addresses of another host to a browser; they become a path here, or "/".
 */
export function localPath(path: string): string {
  const here = "http://localhost";
  const url = URL.parse(path, here);
  if (url?.origin !== here) return "/";
  return url.pathname.replace(/^\/+/, "/") + url.search;
}

class Door {
  readonly #digest: Uint8Array;
  readonly #attempts: Attempts;
  readonly #sessions: Sessions;

  constructor(private readonly options: TokenOptions, clock: Clock) {
    this.#digest = digest(options.token);
    this.#attempts = new Attempts(clock);
    this.#sessions = new Sessions(clock);
  }

  /** From a link: the token goes into a session, and out of the address. */
  redirect(c: Context): Response | Promise<Response> | undefined {
    const given = c.req.query("token");
    if (given === undefined || !isVisit(c)) return undefined;
    if (this.#isSignedIn(c)) return c.redirect(withoutToken(c), 303);
    const verdict = this.#check(c, given);
    return verdict === "right" ? this.#open(c, withoutToken(c)) : refusal(c, verdict);
  }

  /** The answer to a request that may not pass; undefined: it may. */
  refuse(c: Context): Response | Promise<Response> | undefined {
    const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (bearer !== undefined) {
      const verdict = this.#check(c, bearer);
      return verdict === "right" ? undefined : refusal(c, verdict);
    }
    if (!this.#isSignedIn(c)) return refusal(c);
    if (c.req.path === SIGN_IN) return c.redirect(localPath(c.req.query("next") ?? "/"), 303);
    offerSignOut(c);
    return undefined;
  }

  async signIn(c: Context): Promise<Response> {
    // A page elsewhere can send forms here too; wrong tokens in them would lock this machine's own user out.
    if (!isOwnForm(c)) {
      return c.json(errorBody("not-a-form", "Cannot sign in: this is not the form of the page"), 403);
    }
    const form = new URLSearchParams(await c.req.text());
    const next = localPath(form.get("next") ?? "/");
    const verdict = this.#check(c, (form.get("token") ?? "").trim());
    return verdict === "right" ? this.#open(c, next) : await signInPage(c, verdict, next);
  }

  signOut(c: Context): Response {
    const id = getCookie(c, cookieName(c));
    if (id !== undefined) {
      this.#sessions.end(id);
      this.#setCookie(c, "", 0);
    }
    return c.redirect(SIGN_IN, 303);
  }

  #isSignedIn(c: Context): boolean {
    return this.#sessions.has(getCookie(c, cookieName(c)));
  }

  #check(c: Context, given: string): Verdict {
    const { address } = clientOf(c, this.options);
    const waitMs = this.#attempts.waitFor(address);
    if (waitMs > 0) return { waitMs };
    const isRight = timingSafeEqual(digest(given), this.#digest);
    this.#attempts[isRight ? "right" : "wrong"](address);
    return isRight ? "right" : "wrong";
  }

  #open(c: Context, next: string): Response {
    this.#setCookie(c, this.#sessions.open(), SESSION_SECONDS);
    return c.redirect(next, 303);
  }

  #setCookie(c: Context, value: string, maxAge: number): void {
    const { isHttps: secure } = clientOf(c, this.options);
    // Lax: a link on another site leads to the page that one is signed in to. Signing out is a POST, which has it not.
    setCookie(c, cookieName(c), value, { httpOnly: true, sameSite: "Lax", path: "/", maxAge, secure });
  }
}

/** Digests have one length, so that comparing them tells nothing about the token's. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/** Browsers send cookies to every port of a host: each server has a name of its own for them. */
function cookieName(c: Context): string {
  const port = /:(\d+)$/.exec(c.req.header("host") ?? "")?.[1];
  return port === undefined ? "temper_session" : `temper_session_${port}`;
}

function withoutToken(c: Context): string {
  const url = new URL(c.req.url);
  url.searchParams.delete("token");
  return localPath(url.pathname + url.search);
}

/**
 * Not an image or a script that a page elsewhere has put there. Browsers say what it is for where they are connected by
 * HTTPS or on this machine; elsewhere only what opens a page asks for the upgrade, and no script can.
 */
function isVisit(c: Context): boolean {
  const use = c.req.header("sec-fetch-dest");
  return use === undefined ? c.req.header("upgrade-insecure-requests") === "1" : use === "document";
}

function isOwnForm(c: Context): boolean {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const length = Number(c.req.header("content-length") ?? Infinity);
  return isFromHere(c) && type === "application/x-www-form-urlencoded" && length <= MOST_FORM;
}

/** Where browsers do not say how the page that sends a form stands to this one, they say which one it is. */
function isFromHere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return ["same-origin", "none"].includes(site);
  const origin = c.req.header("origin");
  return origin === undefined || (URL.parse(origin)?.host ?? "") === c.req.header("host")?.toLowerCase();
}

/** A page for people, JSON for programs. */
function refusal(c: Context, verdict?: Exclude<Verdict, "right">): Response | Promise<Response> {
  const { path } = c.req;
  const isPage = !path.startsWith("/api/") && (c.req.header("accept") ?? "").includes("text/html");
  if (isPage) {
    const next = path === SIGN_IN ? localPath(c.req.query("next") ?? "/") : withoutToken(c);
    return signInPage(c, verdict, next);
  }
  if (typeof verdict === "object") {
    const message = "Cannot look at the token: too many wrong ones came before";
    const hint = `Try again in ${waitText(verdict)}`;
    return c.json(errorBody("too-many-wrong-tokens", message, hint), 429, retryAfter(verdict));
  }
  const hint = "Open the address in a browser, or send the header: Authorization: Bearer TOKEN";
  return c.json(errorBody("no-token", "Cannot show this: the token is missing or wrong", hint), 401, {
    "WWW-Authenticate": "Bearer",
  });
}

function signInPage(c: Context, verdict: Exclude<Verdict, "right"> | undefined, next: string) {
  const problem = verdict === "wrong"
    ? "The token is wrong"
    : verdict && `Too many wrong tokens: try again in ${waitText(verdict)}`;
  if (typeof verdict === "object") {
    return c.html(<SignInPage next={next} problem={problem} />, 429, retryAfter(verdict));
  }
  return c.html(<SignInPage next={next} problem={problem} />, 401, { "WWW-Authenticate": "Bearer" });
}

function waitText({ waitMs }: { readonly waitMs: number }): string {
  return duration(Math.ceil(waitMs / 1000) * 1000);
}

function retryAfter({ waitMs }: { readonly waitMs: number }) {
  return { "Retry-After": String(Math.ceil(waitMs / 1000)) };
}

/** Pages of a session can end it. */
function offerSignOut(c: Context): void {
  const { html } = c;
  c.html =
    ((page: Child, ...rest: []) =>
      html(<SignedIn.Provider value>{page}</SignedIn.Provider>, ...rest)) as typeof html;
}
