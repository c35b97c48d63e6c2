// An authorization server of other people's making: npm oidc-provider, with clients that prove themselves by a signed
// assertion (SMART backend services). Prints its address when ready.
//   node oidc.mjs AUDIENCE CLIENTS     CLIENTS: [{client_id, alg, jwks}, ...] in JSON
import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [audience, clients] = process.argv.slice(2);
const { privateKey } = await generateKeyPair('ES384', { extractable: true });
const own = { ...(await exportJWK(privateKey)), kid: 'server', alg: 'ES384', use: 'sig' };
const server = http.createServer((question, answer) => handle(question, answer));
let handle;
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(address, {
    clients: JSON.parse(clients).map(({ client_id, alg, jwks }) => ({
      client_id, jwks, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg,
      grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'system/*.rs',
      id_token_signed_response_alg: 'ES384',
    })),
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'], idTokenSigningAlgValues: ['ES384'] },
    jwks: { keys: [own] },
    scopes: ['system/*.rs'],
    ttl: { ClientCredentials: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'system/*.rs', audience, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES384' } },
        }),
      },
    },
  });
  handle = provider.callback();
  console.log(address);
});
