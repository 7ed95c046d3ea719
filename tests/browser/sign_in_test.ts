import assert from "../deps/assert.ts";
import { addEveryRun } from "../server/every_run.ts";
import { site } from "../server/kit.ts";
import { serve } from "../server/serve.ts";
import { lookAt, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const TOKEN = "only-for-this-test";

/** A server that asks for the token, under its address or a name, with a browser that knows the name. */
async function guardedSite(
  name?: string,
): Promise<AsyncDisposable & { readonly url: string; readonly visitor: Visitor }> {
  await using opened = new AsyncDisposableStack();
  const runs = opened.use(await site());
  opened.use(await addEveryRun(runs));
  const args = ["--token", TOKEN, ...name === undefined ? [] : ["--name", name]];
  const { origin, port } = new URL(opened.use(await serve(runs.runsDir, { args })).url);
  const url = name === undefined ? origin : `http://${name}:${port}`;
  const rules = name === undefined ? [] : [`--host-resolver-rules=MAP ${name} 127.0.0.1`];
  const visitor = opened.use(await Visitor.open({ url, async [Symbol.asyncDispose]() {} }, rules));
  const kept = opened.move();
  return { url, visitor, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

Deno.test({
  name: "one signs in without JavaScript, stays so when another site links to a run, and signs out",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using guarded = await guardedSite();
    const { url, visitor } = guarded;
    const page = await visitor.page({ javaScriptEnabled: false });
    const run = `${url}/runs/full`;
    assert.equal((await page.goto(run))!.status(), 401);
    await page.locator("#token:focus").waitFor();
    const answer = (token: string) =>
      page.getByLabel("Token").fill(token).then(() => page.keyboard.press("Enter"));
    await answer("wrong");
    assert.equal(await page.getByRole("alert").innerText(), "The token is wrong");
    await answer(TOKEN);
    await page.locator("#run").waitFor();
    assert.equal(page.url(), run);
    const cookies = await page.context().cookies();
    assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]), [[true, "Lax"]]);
    assert.ok(!JSON.stringify(cookies).includes(TOKEN));

    // Another name is another site to a browser.
    const other = new URL(url);
    other.hostname = "localhost";
    await page.route(
      other.href,
      (route) => route.fulfill({ contentType: "text/html", body: `<a href="${run}">run</a>` }),
    );
    await page.goto(other.href);
    await page.getByRole("link").click();
    await page.locator("#run").waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    assert.equal((await page.goto(run))!.status(), 401);
    const faults = visitor.faults.filter((fault) =>
      !/^(401: |elsewhere: http:\/\/localhost|console: .* 401 )/.test(fault)
    );
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name: "one signs in over plain HTTP by the machine's name, and no other site can do so in one's place",
  ignore: WITHOUT_BROWSER,
  async fn() {
    // A browser does not trust such a name: it leaves out the Sec-Fetch-* headers.
    await using guarded = await guardedSite("gpu-box");
    const { url, visitor } = guarded;
    const page = await visitor.page();
    const run = `${url}/runs/full`;
    await page.goto(`${run}?token=${TOKEN}`);
    await page.locator("#run").waitFor();
    assert.equal(page.url(), run);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Runs" }).waitFor();

    const elsewhere = "http://elsewhere.example/";
    const form =
      `<form method="post" action="${url}/login"><input name="token" value="wrong"><button>send</button>`;
    const body = `<a href="${run}">run</a>${form}`;
    await page.route(elsewhere, (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(elsewhere);
    await page.getByRole("link").click();
    await page.locator("#run").waitFor();
    await page.goto(elsewhere);
    const [answer] = await Promise.all([
      page.waitForResponse(`${url}/login`),
      page.getByRole("button").click(),
    ]);
    assert.equal(answer.status(), 403);
  },
});

Deno.test({
  name: "the page to sign in on reads well, and an open page asks for the token when its session has ended",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using guarded = await guardedSite();
    const { url, visitor } = guarded;
    const page = await visitor.page();
    await page.goto(`${url}/?token=wrong`);
    await lookAt(page, "sign-in-wrong");
    await page.goto(url);
    await lookAt(page, "sign-in");
    await page.goto(`${url}/?token=${TOKEN}`);
    assert.equal(page.url(), `${url}/`);
    await lookAt(page, "signed-in-list");
    await page.goto(`${url}/runs/running`);
    await lookAt(page, "signed-in-run");
    await page.goto(url);
    await page.context().clearCookies();
    await page.getByLabel("Token").waitFor({ timeout: 20_000 });
  },
});
