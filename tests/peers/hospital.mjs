// A hospital's sign-in of other people's making: npm oidc-provider as the authorization server of SMART App Launch 2.
// What SMART adds to OpenID Connect is ours: the words launch and aud, the patient beside the token, and the pages on which
// somebody signs in, chooses a patient, and allows or refuses. Prints its address when ready.
//   node hospital.mjs SETUP      SETUP in JSON: {host?, clients: [{client_id, redirect_uris, auth, secret?, jwks?}],
//                                users: {name: {fhirUser}}, patients: {id: name}, lasts: seconds of a token}
// For tests: POST /open {user, patient, refuse?} gives {launch}; POST /rotate makes new keys; POST /spoil {id_token: kind}
// spoils the next identity (nonce, iss, aud, expired, none, stranger ...).
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } from 'jose';
import Provider from 'oidc-provider';

const setup = JSON.parse(process.argv[2]);
const RESOURCE_SCOPES = ['patient/*.rs', 'patient/*.read', 'launch', 'launch/patient', 'online_access'];
const launches = new Map(); // launch word -> {user, patient, refuse}
const chosen = new Map(); // grant -> patient
let spoil, own, provider, handle;

async function fresh() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

function build(address) {
  const one = new Provider(address, {
    clients: setup.clients.map(({ client_id, redirect_uris, auth, secret, jwks }) => ({
      client_id, redirect_uris, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      token_endpoint_auth_method: auth, ...(secret && { client_secret: secret }), ...(jwks && { jwks }),
      ...(auth === 'private_key_jwt' && { token_endpoint_auth_signing_alg: 'ES384' }),
    })),
    clientAuthMethods: ['none', 'client_secret_basic', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
    jwks: { keys: [own] },
    cookies: { keys: ['for tests only'] },
    pkce: { required: () => true },
    scopes: ['openid', 'fhirUser', 'offline_access'],
    claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
    conformIdTokenClaims: false,
    extraParams: ['launch', 'aud'],
    ttl: { AccessToken: setup.lasts ?? 300, IdToken: 300, AuthorizationCode: 60, RefreshToken: 3600, Grant: 3600,
      Interaction: 600, Session: 3600 },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...setup.users[id] }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: (_, client, code) => code.scopes.has('online_access') || code.scopes.has('offline_access'),
    extraTokenClaims: (_, token) => ({ patient: chosen.get(token.grantId) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => ctx.oidc.params?.aud ?? ctx.oidc.entities.AuthorizationCode?.resource ?? 'urn:none',
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: RESOURCE_SCOPES.join(' '), audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: setup.lasts ?? 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  one.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route !== 'token' || !ctx.body?.access_token) return;
    const grant = (ctx.oidc.entities.AuthorizationCode ?? ctx.oidc.entities.RefreshToken)?.grantId;
    if (chosen.has(grant)) ctx.body.patient = chosen.get(grant);
    if (spoil?.patient !== undefined) ctx.body.patient = spoil.patient;
    if (ctx.body.id_token && spoil?.id_token) ctx.body.id_token = await spoilt(ctx.body.id_token, spoil.id_token);
    if (spoil?.no_identity) delete ctx.body.id_token;
    spoil = undefined;
  });
  one.on('server_error', (_, error) => console.error(error));
  return one;
}

async function spoilt(text, kind) {
  const claims = decodeJwt(text);
  delete claims.at_hash; // a new one is no part of what is tried
  const now = Math.floor(Date.now() / 1000);
  if (kind === 'nonce') claims.nonce = 'of another launch';
  if (kind === 'no-nonce') delete claims.nonce;
  if (kind === 'iss') claims.iss = 'https://elsewhere.invalid';
  if (kind === 'aud') claims.aud = 'another program';
  if (kind === 'expired') { claims.exp = now - 600; claims.iat = now - 1200; }
  if (kind === 'future') claims.iat = now + 3600;
  if (kind === 'none') return new UnsecuredJWT(claims).encode();
  if (kind === 'at_hash') claims.at_hash = 'AAAAAAAAAAAAAAAAAAAAAA';
  if (kind === 'secret') // signed with the public key as if it were a shared secret
    return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: own.kid }).sign(new TextEncoder().encode(own.n));
  const key = kind === 'stranger' ? { ...(await fresh()), kid: own.kid } : own;
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(await importJWK(key, 'RS256'));
}

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Invented hospital</title>
<body style="font:16px sans-serif;max-width:32rem;margin:3rem auto"><h1>Invented hospital</h1>${body}</body></html>`;
const options = (names) => names.map(([id, name]) => `<option value="${id}">${name}</option>`).join('');

async function body(question) {
  const chunks = [];
  for await (const chunk of question) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function interaction(question, answer) {
  const details = await provider.interactionDetails(question, answer);
  const { params } = details;
  let told = launches.get(params.launch);
  if (question.method === 'POST') {
    const form = new URLSearchParams(await body(question));
    told = { user: form.get('user'), patient: form.get('patient'), refuse: form.get('do') === 'refuse' };
  } else if (!told) {
    answer.setHeader('content-type', 'text/html');
    return answer.end(page(`<p>A program asks for: <code>${params.scope}</code></p><form method="post">
      <p><label>Who are you? <select name="user">${options(Object.keys(setup.users).map((u) => [u, u]))}</select></label></p>
      <p><label>Which patient? <select name="patient">${options(Object.entries(setup.patients))}</select></label></p>
      <p><button name="do" value="allow">Allow</button> <button name="do" value="refuse">Refuse</button></p></form>`));
  }
  if (told.refuse) {
    return provider.interactionFinished(question, answer,
      { error: 'access_denied', error_description: 'refused at the hospital' }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: told.user, clientId: params.client_id });
  const wanted = params.scope.split(' ');
  grant.addOIDCScope(wanted.filter((s) => ['openid', 'fhirUser', 'offline_access'].includes(s)).join(' '));
  grant.addResourceScope(params.aud, wanted.filter((s) => RESOURCE_SCOPES.includes(s)).join(' '));
  const grantId = await grant.save();
  if (told.patient) chosen.set(grantId, told.patient);
  return provider.interactionFinished(question, answer,
    { login: { accountId: told.user, remember: false }, consent: { grantId } }, { mergeWithLastSubmission: false });
}

const server = http.createServer(async (question, answer) => {
  try {
    const path = new URL(question.url, 'http://x').pathname;
    const json = (value) => { answer.setHeader('content-type', 'application/json'); answer.end(JSON.stringify(value)); };
    if (path === '/open') {
      const word = randomUUID();
      launches.set(word, JSON.parse(await body(question)));
      return json({ launch: word });
    }
    if (path === '/rotate') { own = await fresh(); provider = build(issuer); handle = provider.callback(); return json({}); }
    if (path === '/spoil') { spoil = JSON.parse(await body(question)); return json({}); }
    if (path.startsWith('/interaction/')) return await interaction(question, answer);
    return handle(question, answer);
  } catch (error) {
    answer.statusCode = 500;
    answer.end(page(`<pre>${String(error.stack).replaceAll('<', '&lt;')}</pre>`));
  }
});
let issuer;
server.listen(0, '127.0.0.1', async () => {
  issuer = `http://${setup.host ?? '127.0.0.1'}:${server.address().port}`;
  own = await fresh();
  provider = build(issuer);
  handle = provider.callback();
  console.log(`http://127.0.0.1:${server.address().port}`);
});
