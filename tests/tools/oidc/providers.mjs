// providers.mjs KIND REDIRECT [TOOLS]: a provider on a free port of this host, which it prints.
// KIND: certified (the npm package oidc-provider, in TOOLS), forged (signs whatever the code says), github.
import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [kind, redirect, tools] = process.argv.slice(2);
const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  server.on('request', await { certified, forged, github }[kind](url));
  process.stdout.write(`${server.address().port}\n`);
  // The test reads no more than this line.
  for (const name of ['log', 'info', 'debug']) console[name] = console.error;
});

async function certified(url) {
  const path = createRequire(`${tools}/package.json`).resolve('oidc-provider');
  const { Provider } = await import(pathToFileURL(path));
  const people = {
    noc: { name: 'Network Desk', preferred_username: 'noc', groups: ['staff', 'noc'], email: 'noc@ispcustomer.co.zw', email_verified: true },
    desk: { name: 'Front Desk', preferred_username: 'desk', groups: ['desk-a'], email: 'desk@tier2.example', email_verified: false },
    visitor: { name: '<b>Visitor</b>', preferred_username: 'visitor', groups: [] },
    twin: { name: 'Another Desk', preferred_username: 'desk', groups: 'desk-a' },
  };
  const common = { redirect_uris: [redirect], grant_types: ['authorization_code'], response_types: ['code'] };
  const provider = new Provider(url, {
    clients: [
      { ...common, client_id: 'portal', client_secret: 'a secret: of & the + portal' },
      { ...common, client_id: 'public', token_endpoint_auth_method: 'none' },
    ],
    cookies: { keys: ['for tests alone'] },
    scopes: ['openid', 'groups'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  });
  return provider.callback();
}

const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const digest = (text) => createHash('sha256').update(text).digest();

function answer(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function body(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

// Its codes are SCENARIO.NONCE.
function forged(url) {
  const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [own, next, foreign] = [pair(), pair(), pair()];
  let rotated = false;
  let asked = 0;
  const jwk = (key, kid) => ({ ...key.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });
  return async (request, response) => {
    const path = request.url.split('?')[0];
    if (path === '/.well-known/openid-configuration') {
      return answer(response, 200, {
        issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys`,
        response_types_supported: ['code'], subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
        userinfo_endpoint: `${url}/person`, token_endpoint_auth_methods_supported: ['client_secret_post'],
      });
    }
    if (path === '/asked') return answer(response, 200, { asked });
    if (path === '/keys') {
      asked += 1;
      return answer(response, 200, { keys: [jwk(own, 'own'), ...(rotated ? [jwk(next, 'next')] : [])] });
    }
    if (path === '/person') {
      const subject = request.headers.authorization === 'Bearer for-another' ? 'another' : 'person';
      return answer(response, 200, { sub: subject, preferred_username: 'person', name: 'A Person', groups: ['noc'] });
    }
    const form = await body(request);
    const [scenario, nonce] = form.get('code').split('.');
    if (scenario === 'hang') return;
    if (form.get('client_secret') !== 'a secret: of & the + portal') return answer(response, 401, { error: 'invalid_client' });
    if (scenario === 'redirect') {
      response.writeHead(307, { location: `${url}/token2` });
      return response.end();
    }
    if (scenario === 'huge') return response.end('x'.repeat(3 << 20));
    if (scenario === 'error') return answer(response, 400, { error: 'invalid_grant', error_description: '<script>alert(1)</script>\u202e' + 'x'.repeat(5000) });
    const now = Math.floor(Date.now() / 1000);
    const access = scenario === 'userinfo' ? 'for-another' : 'access';
    const claims = {
      iss: url, sub: 'person', aud: 'portal', nonce, iat: now, exp: now + 300, preferred_username: 'person', name: 'A Person',
      groups: ['noc'], at_hash: digest(access).subarray(0, 16).toString('base64url'),
      ...{
        expired: { exp: now - 5, iat: now - 300 }, audience: { aud: 'another' }, audiences: { aud: ['portal', 'another'] },
        party: { azp: 'another' }, issuer: { iss: 'https://attacker.example' }, nonce: { nonce: 'another' }, unbound: { nonce: undefined },
        access: { at_hash: digest('another').subarray(0, 16).toString('base64url') }, subject: { sub: '' },
        userinfo: { groups: undefined },
        hostile: { sub: 'hostile', preferred_username: 'noc', name: '<img src=x>\r\nCo-Authored-By: x\u202e', email: 'noc@ispcustomer.co.zw' },
      }[scenario],
    };
    if (scenario === 'rotated') rotated = true;
    const key = { rotated: next, key: foreign, unknown: foreign }[scenario] ?? own;
    const header = { alg: 'RS256', typ: 'JWT', kid: { rotated: 'next', unknown: 'unknown' }[scenario] ?? 'own' };
    if (scenario === 'none') header.alg = 'none';
    if (scenario === 'hmac') header.alg = 'HS256';
    const signed = `${encoded(header)}.${encoded(claims)}`;
    let signature = sign('sha256', Buffer.from(signed), key.privateKey);
    if (scenario === 'none') signature = Buffer.alloc(0);
    if (scenario === 'hmac') signature = createHmac('sha256', 'a secret: of & the + portal').update(signed).digest();
    const token = scenario === 'missing' ? {} : { id_token: `${signed}.${signature.toString('base64url')}` };
    answer(response, 200, { access_token: access, token_type: 'Bearer', ...token });
  };
}

// Its codes are LOGIN.CHALLENGE. As documented: https://docs.github.com/en/apps/oauth-apps and /en/rest.
function github() {
  const people = {
    octo: { id: 1, login: 'Octo', name: 'Octo Cat', email: null },
    member: { id: 2, login: 'member', name: null, email: 'member@ispcustomer.co.zw' },
    leader: { id: 3, login: 'leader', name: 'Leader', email: null },
    invited: { id: 4, login: 'invited', name: 'Invited', email: null },
    stranger: { id: 5, login: 'stranger', name: 'Stranger', email: null },
    hidden: { id: 6, login: 'hidden', name: 'Hidden', email: null },
  };
  return async (request, response) => {
    const path = request.url;
    if (path === '/login/oauth/access_token' && request.method === 'POST') {
      const form = await body(request);
      const [login, challenge] = form.get('code').split('.');
      const known = form.get('client_id') === 'app' && form.get('client_secret') === 'the secret of the app';
      if (!known) return answer(response, 200, { error: 'incorrect_client_credentials', error_description: 'The client_id and/or client_secret passed are incorrect.' });
      if (form.get('redirect_uri') !== redirect) return answer(response, 200, { error: 'redirect_uri_mismatch' });
      const own = digest(form.get('code_verifier')).toString('base64url') === challenge;
      if (!own || !people[login]) return answer(response, 200, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' });
      return answer(response, 200, { access_token: `gho_${login}`, scope: 'read:org', token_type: 'bearer' });
    }
    const login = request.headers.authorization?.replace('Bearer gho_', '');
    const person = people[login];
    if (!person || !request.headers['user-agent']) return answer(response, 401, { message: 'Requires authentication' });
    const member = (state) => answer(response, 200, { state, role: 'member' });
    const missing = () => answer(response, 404, { message: 'Not Found' });
    if (path === '/api/v3/user') return answer(response, 200, person);
    if (path === '/api/v3/user/memberships/orgs/ispcustomer') {
      if (login === 'hidden') return answer(response, 403, { message: 'Although you appear to have the correct authorization credentials, …' });
      const state = { member: 'active', leader: 'active', invited: 'pending' }[login];
      return state ? member(state) : missing();
    }
    if (path === `/api/v3/orgs/ispcustomer/teams/noc/memberships/${person.login}`) {
      return login === 'leader' ? member('active') : login === 'invited' ? member('pending') : missing();
    }
    missing();
  };
}
