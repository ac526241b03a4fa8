import { logIn, openForm, send } from '../support/actions';
import { newPerson } from '../support/program';
import { expect, test } from '../support/test';

test.use({ provokedStatuses: [401, 404] });

test('the session cookie is out of reach for scripts and other sites', async ({ page, context, program }) => {
  await logIn(page, await program.createUser());
  const all = await context.cookies();
  const cookies = all.filter(cookie => !cookie.name.startsWith('device-'));
  expect(cookies).toHaveLength(1);
  expect(all).toHaveLength(2);
  expect(all.every(cookie => cookie.httpOnly && cookie.sameSite === 'Lax' && cookie.path === '/')).toBe(true);
  expect(cookies[0]).toMatchObject({ name: 'fastapiusersauth', httpOnly: true, sameSite: 'Lax', path: '/', domain: 'localhost', secure: false });
  const lifetime = (cookies[0]?.expires ?? 0) - Date.now() / 1000;
  expect(lifetime).toBeGreaterThan(86_400 - 60);
  expect(lifetime).toBeLessThanOrEqual(86_400);
});

test('nobody who is not logged in gets a session cookie', async ({ page, context }) => {
  await openForm(page, '/login');
  await send(page, newPerson(), 'Log in');
  await expect(page.getByRole('alert')).toBeVisible();
  expect((await context.cookies()).map(cookie => cookie.name)).not.toContain('fastapiusersauth');
});

test('neither an error nor a password is ever in an address', async ({ page, program }) => {
  const seen: string[] = [];
  page.on('request', request => seen.push(request.url()));
  const person = await program.createUser();
  await openForm(page, '/login');
  await send(page, { ...person, password: 'wrong-wrong-wrong' }, 'Log in');
  await expect(page.getByRole('alert')).toBeVisible();
  await logIn(page, person);
  for (const address of seen) expect(address).not.toMatch(/__err|__path|error|wrong|%40|@/i);
  for (const address of seen) expect(address).not.toContain(person.password);
});

test('an address that carries an error of Leptos is cleaned', async ({ page }) => {
  await page.goto('/login?__path=%2Flogin&__err=bm9uc2Vuc2U');
  await expect(page).toHaveURL('/login');
  await expect(page.getByRole('alert')).toBeEmpty();
});

test('every page names a policy with a nonce of its own and is kept by nobody', async ({ page }) => {
  const nonces = new Set<string>();
  const addresses = ['/login', '/login', '/logout', '/setup', '/nowhere'];
  for (const address of addresses) {
    const headers = (await page.request.get(address)).headers();
    const policy = headers['content-security-policy'] ?? '';
    nonces.add(/script-src [^;]*'nonce-([^']{16,})'/.exec(policy)?.[1] ?? '');
    for (const directive of ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) expect(policy).toContain(directive);
    expect(policy).not.toContain('unsafe-inline');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': expect.stringContaining('no-store') });
  }
  expect(nonces).not.toContain('');
  expect(nonces.size).toBe(addresses.length);
});

test('our own files are kept for good, are what they say they are, and stand under the same protection', async ({ page, freshProgram }) => {
  const program = await freshProgram('[misc]\nfrontend_url = "https://media.example.org"\n');
  const html = await (await page.request.get(`${program.origin}/login`)).text();
  const named = new Set(html.match(/\/pkg\/[\w.-]+\.(?:css|js|wasm)/g));
  const kinds = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', wasm: 'application/wasm', svg: 'image/svg+xml' };
  const files = [...named, '/favicon.svg'].map(path => [path, path.slice(path.lastIndexOf('.') + 1) as keyof typeof kinds] as const);
  expect(files.map(([, kind]) => kind).sort()).toEqual(['css', 'js', 'svg', 'wasm']);
  for (const [path, kind] of files) {
    const answer = await page.request.get(`${program.origin}${path}`);
    expect(answer.status(), path).toBe(200);
    expect(answer.headers(), path).toMatchObject({
      'content-type': kinds[kind],
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': kind === 'svg' ? 'public, max-age=86400' : 'public, max-age=31536000, immutable',
      'strict-transport-security': 'max-age=31536000',
    });
  }
});

test('a page loads nothing from other hosts', async ({ page, program }) => {
  const hosts = new Set<string>();
  page.on('request', request => hosts.add(new URL(request.url()).origin));
  await openForm(page, '/login');
  await page.goto('/nowhere');
  expect([...hosts]).toEqual([program.origin]);
});
