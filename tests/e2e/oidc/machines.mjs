// A real OpenID provider for programs: JWT access tokens by client credentials; a line on standard input changes its key.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// What the package says of itself is not for who reads standard output.
console.info = console.warn = console.error;
const require = createRequire(pathToFileURL(`${process.env.MODULES}/`));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const server = http.createServer();
let answer;
const anew = (issuer) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "planner",
        client_secret: process.env.CLIENT_SECRET,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys: [key] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:gatehold",
        getResourceServerInfo: () => ({
          scope: "",
          audience: "gatehold",
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
        useGrantedResource: () => true,
      },
    },
    extraTokenClaims: () => ({ groups: ["planners"] }),
  });
  answer = provider.callback();
};
server.on("request", (request, response) => answer(request, response));
server.listen(0, "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  anew(issuer);
  console.log(issuer);
  for await (const _ of createInterface({ input: process.stdin })) {
    anew(issuer);
    console.log("changed");
  }
  process.exit(0);
});
