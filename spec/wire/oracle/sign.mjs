// The signer of the official SDK: JSON lines of requests in, a line with the signature of each out.
import { createHash, createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { SignatureV4 } = createRequire(`${process.cwd()}/`)("@smithy/signature-v4");

class Sha256 {
  constructor(key) {
    this.hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const signer = new SignatureV4({
    region: asked.region,
    service: asked.service,
    sha256: Sha256,
    applyChecksum: false,
    credentials: { accessKeyId: asked.key_id, secretAccessKey: asked.secret, sessionToken: asked.token },
  });
  const t = asked.time;
  const time = `${t.slice(0, 4)}-${t.slice(4, 6)}-${t.slice(6, 11)}:${t.slice(11, 13)}:${t.slice(13, 15)}Z`;
  const signed = await signer.sign(
    { method: asked.method, protocol: "https:", hostname: asked.headers.host, path: asked.path, query: asked.query ?? {},
      headers: asked.headers, body: asked.body },
    { signingDate: new Date(time) },
  );
  console.log(signed.headers.authorization.replace(/.*Signature=/, ""));
}
