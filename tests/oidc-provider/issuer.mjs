// A certified OpenID provider that nobody here wrote (npm `oidc-provider`), on loopback.
//
//   node issuer.mjs NODE_MODULES
//
// The first line of standard input is its configuration, so that no secret is an argument:
//   {"port": 0, "algorithm": "RS256", "clients": [{"client_id", "client_secret", "scope", "tenant"}],
//    "resources": {"https://board.example": "board:read board:write"}}
// It prints {"issuer": "http://127.0.0.1:PORT"} when it answers, and ends when standard input closes.
// Keys are made at each start: a restart on the same port is a key rotation.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// The provider's notices are for people; standard output is for the one JSON line.
for (const method of ['debug', 'info', 'log', 'warn']) console[method] = console.error;

const require = createRequire(`${process.argv[2]}/`);
const { Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
const configuration = JSON.parse(await new Promise((resolve) => lines.once('line', resolve)));

const { port, algorithm, clients, resources } = configuration;
const tenants = new Map(clients.map((client) => [client.client_id, client.tenant]));

const server = createServer();
await new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
});
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: clients.map(({ client_id, client_secret, scope }) => ({
    client_id,
    client_secret,
    scope,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
  })),
  cookies: { keys: [randomUUID()] },
  // A tenant claim, as an operator's mapper would add it.
  extraTokenClaims: (_context, token) => ({ tenant: tenants.get(token.clientId) }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      // RFC 8707: a resource makes the access token a JWT (RFC 9068) for that audience.
      getResourceServerInfo(_context, resource) {
        if (!Object.hasOwn(resources, resource)) throw new errors.InvalidTarget();
        return {
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          audience: resource,
          jwt: { sign: { alg: algorithm } },
          scope: resources[resource],
        };
      },
    },
  },
  // RS256 beside it: the provider wants one for ID tokens, which nobody asks for here.
  jwks: { keys: [...new Set([algorithm, 'RS256'])].map(signingKey) },
  scopes: [...new Set(Object.values(resources).flatMap((scope) => scope.split(' ')))],
});
server.on('request', provider.callback());
process.stdout.write(`${JSON.stringify({ issuer })}\n`);

function signingKey(alg) {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: 'jwk' }), alg, kid: randomUUID(), use: 'sig' };
}
