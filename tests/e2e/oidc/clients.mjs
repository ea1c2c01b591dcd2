// A real authorization server for the gateway as its client: JWT access tokens by client credentials, by secret or key.
import http from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// What the package says of itself is not for who reads standard output.
console.info = console.warn = console.error;
const require = createRequire(pathToFileURL(`${process.env.MODULES}/`));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const client = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [], scope: "read write" };
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: "by-basic", client_secret: process.env.CLIENT_SECRET, token_endpoint_auth_method: "client_secret_basic" },
      { ...client, client_id: "by-post", client_secret: process.env.CLIENT_SECRET, token_endpoint_auth_method: "client_secret_post" },
      { ...client, client_id: "by-key", token_endpoint_auth_method: "private_key_jwt", jwks: JSON.parse(process.env.JWKS) },
    ],
    scopes: ["read", "write"],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "read write",
          audience: resource,
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
