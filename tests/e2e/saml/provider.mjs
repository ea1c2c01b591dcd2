// A SAML 2.0 identity provider (npm samlp): a line of JSON in, {subject, claims, ...settings}; the response, in base64, out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.env.MODULES}/`));
const samlp = require("samlp");

const fixed = {
  cert: readFileSync(process.env.CERTIFICATE, "utf8"),
  key: readFileSync(process.env.KEY, "utf8"),
  signatureAlgorithm: "rsa-sha256",
  digestAlgorithm: "sha256",
};
for await (const line of createInterface({ input: process.stdin })) {
  const { subject, claims, ...settings } = JSON.parse(line);
  const profileMapper = () => ({
    getClaims: () => claims,
    getNameIdentifier: () => ({
      nameIdentifier: subject,
      nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    }),
  });
  samlp.getSamlResponse({ ...fixed, ...settings, profileMapper }, {}, (error, response) => {
    console.log(error ? `!${error.message}` : Buffer.from(response).toString("base64"));
  });
}
