import assert from "../deps/assert.ts";
import fc from "fast-check";
import {
  addressOf,
  below,
  isSecret,
  withCredentials,
  without,
  withoutLong,
} from "../../src/lib/net/address.ts";
import { isReadable, passwordFault, tokenFault } from "../../src/lib/net/api_key.ts";

Deno.test("addressOf() leaves an address without secrets as it is, but for slashes at its end", () => {
  for (const text of ["http://127.0.0.1:11434", "https://HOST:443/a/b", "http://[::1]:1/x"]) {
    assert.deepEqual(addressOf(text), { shown: text, authorization: undefined, query: [], secrets: [] });
    assert.equal(addressOf(`${text}//`).shown, text);
  }
});

Deno.test("addressOf() shows nothing of what is secret, and sends all of it", () => {
  const text = fc.string({ minLength: 2, unit: "grapheme" }).filter((text) =>
    !/^[./\\s]*$/.test(text) && text.isWellFormed()
  );
  fc.assert(
    fc.property(text, text, text, (user, password, key) => {
      const [u, p, k] = [user, password, key].map(encodeURIComponent);
      const address = addressOf(`https://${u}:${p}@gpu.example:1/ollama?key=${k}#x`);
      assert.equal(address.shown, "https://gpu.example:1/ollama");
      const pair = new TextDecoder().decode(
        Uint8Array.fromBase64(address.authorization!.slice("Basic ".length)),
      );
      assert.equal(pair, `${user}:${password}`);
      const url = below(address, "/api/version");
      assert.equal(url.pathname, "/ollama/api/version");
      assert.deepEqual([...url.searchParams], [["key", key]]);
      for (const secret of [password, key, p!, k!]) {
        assert.ok(!without(address.secrets, `a ${secret} b`).includes(` ${secret} `), secret);
      }
    }),
    { seed: 12 },
  );
});

Deno.test("withCredentials() takes user:password or a token", () => {
  const address = addressOf("http://127.0.0.1/x");
  assert.equal(isSecret(address), false);
  const basic = withCredentials(address, "me:pa:ss");
  assert.equal(basic.authorization, `Basic ${btoa("me:pa:ss")}`);
  const bearer = withCredentials(address, "token-1");
  assert.equal(bearer.authorization, "Bearer token-1");
  for (const { shown, secrets } of [basic, bearer]) {
    assert.equal(shown, address.shown);
    assert.equal(
      without(secrets, `pa:ss ${btoa("me:pa:ss")} token-1`).match(/\[secret\]/g)?.length,
      shown && secrets === bearer.secrets ? 1 : 2,
    );
  }
  assert.ok(isSecret(basic) && isSecret(bearer));
});

Deno.test("addressOf() repeats nothing of what it cannot read", () => {
  assert.throws(() => addressOf("http://me:secret@ho st"), (error) => !String(error).includes("secret"));
});

Deno.test("passwordFault() and tokenFault() find what cannot be sent", () => {
  for (const good of ["sk-abc_DEF.1~+/=", "x"]) {
    assert.equal(tokenFault(good) ?? passwordFault(good), undefined);
  }
  assert.equal(passwordFault("me:pass wörd"), undefined);
  assert.equal(tokenFault("a b"), "contains a space");
  for (const fault of [tokenFault, passwordFault]) {
    for (const empty of ["", " ", "\n"]) assert.equal(fault(empty), "is empty");
    for (const broken of ["a\nb", "a\r\nb"]) assert.equal(fault(broken), "contains a line break");
    for (const spaced of ["a ", " a", "a\n", "\ta"]) {
      assert.equal(fault(spaced), "begins or ends with white space");
    }
    for (const odd of ["a\tb", "a\0b"]) assert.equal(fault(odd), "contains a control character");
  }
  for (const odd of ["schlüssel", "“a”", "\u200ba"]) {
    assert.equal(tokenFault(odd), "contains a character that no header can carry");
  }
});

Deno.test("isReadable() is true of http:// to another machine alone", () => {
  for (
    const address of [
      "http://gpu",
      "http://10.0.0.1:80/x",
      "http://localhost.evil.example",
      "http://[fe80::1]/",
    ]
  ) {
    assert.equal(isReadable(address), true, address);
  }
  for (
    const address of [
      "https://gpu",
      "http://127.0.0.1:1",
      "http://127.9.9.9",
      "http://localhost/x",
      "http://[::1]:1",
    ]
  ) {
    assert.equal(isReadable(address), false, address);
  }
});

Deno.test("withoutLong() leaves short secrets, and versions are none", () => {
  const { secrets, query } = addressOf("http://me:pw-1@127.0.0.1?api-version=2024-10-21&key=long-enough");
  assert.equal(withoutLong(secrets, "pw-1 in 2024-10-21, long-enough"), "pw-1 in 2024-10-21, [secret]");
  assert.equal(without(secrets, "pw-1 in 2024-10-21, long-enough"), "[secret] in 2024-10-21, [secret]");
  assert.equal(query.length, 2);
  assert.equal(
    without(addressOf("http://x?k=a+b%26c").secrets, "k=a+b%26c a b&c a%20b%26c"),
    "k=[secret] [secret] [secret]",
  );
});
