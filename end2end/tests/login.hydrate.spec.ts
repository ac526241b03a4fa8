import { email, logIn, openForm, password, press, send, touchForm } from '../support/actions';
import { newPerson } from '../support/program';
import { expect, test } from '../support/test';

test('the password can be shown and hidden', async ({ page }) => {
  await openForm(page, '/login');
  await password(page).fill('open sesame');
  await page.getByRole('button', { name: 'Show password' }).click();
  await expect(password(page)).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: 'Hide password' }).click();
  await expect(password(page)).toHaveAttribute('type', 'password');
  await expect(password(page)).toHaveValue('open sesame');
});

test('a shown password is hidden again when it is sent', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  await page.getByRole('button', { name: 'Show password' }).click();
  await send(page, { ...person, password: 'wrong' }, 'Log in');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(password(page)).toHaveAttribute('type', 'password');
  await expect(page.getByRole('button', { name: 'Show password' })).toBeVisible();
});

test('a shown password is hidden when the page comes back from the back-forward cache', async ({ page }) => {
  await openForm(page, '/login');
  await page.getByRole('button', { name: 'Show password' }).click();
  await expect(password(page)).toHaveAttribute('type', 'text');
  // Playwright disables the back/forward cache, so the test dispatches the browser's event.
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await expect(password(page)).toHaveAttribute('type', 'password');
});

test('a wrong password does not load the page again', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  const loaded = await page.evaluate(() => performance.timeOrigin);
  const answer = await send(page, { ...person, password: 'wrong' }, 'Log in');
  expect(answer.request().resourceType()).toBe('fetch');
  await expect(page.getByRole('alert')).toBeVisible();
  expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
});

test('what was typed before the script arrived stays', async ({ page }) => {
  let arrive = (): void => {};
  const released = new Promise<void>(resolve => (arrive = resolve));
  await page.route('**/pkg/*.wasm', async route => {
    await released;
    await route.continue();
  });
  await page.goto('/login');
  await email(page).fill('early@example.org');
  await password(page).fill('typed too early');
  arrive();
  await touchForm(page);
  await expect(email(page)).toHaveValue('early@example.org');
  await expect(password(page)).toHaveValue('typed too early');
});

test('a form sent before the script arrived gets its answer, and the answer comes to life', async ({ page, program }) => {
  const person = await program.createUser();
  await page.route('**/pkg/*.wasm', () => {}, { times: 1 }); // never answered, so the first page is not hydrated
  await page.goto('/login');
  const answer = await send(page, { ...person, password: 'wrong' }, 'Log in');
  expect(answer.request().resourceType()).toBe('document');
  expect(answer.status()).toBe(401);
  await expect(page.getByRole('alert')).toBeFocused();
  await touchForm(page);
  await expect(email(page)).toHaveValue(person.email);
  await expect(password(page)).toHaveValue('');
});

test.describe('without an answer that says the password is wrong', () => {
  test.use({ provokedStatuses: [429, 503] });

  const sentence = 'Come back later.';
  const answers = {
    '429': { status: 429, contentType: 'application/json', body: JSON.stringify(['alert', sentence]) },
    '503': { status: 503, contentType: 'application/json', body: JSON.stringify(['alert', sentence]) },
    'a proxy\'s page': { status: 503, contentType: 'text/html', body: '<h1>Bad gateway</h1>' },
  };
  for (const [name, answer] of Object.entries(answers)) {
    test(`the password stays and the old notice goes: ${name}`, async ({ page, program }) => {
      await logIn(page, await program.createUser());
      await press(page, 'Log out');
      await expect(page.getByRole('status')).toBeVisible();
      await touchForm(page);
      await page.route('**/login', route => (route.request().method() === 'POST' ? route.fulfill(answer) : route.fallback()));
      await send(page, { email: 'ada@example.org', password: 'typed once' }, 'Log in');
      await expect(page.getByRole('alert')).not.toBeEmpty();
      await expect(password(page)).toHaveValue('typed once');
      await expect(page.getByRole('status')).toBeHidden();
    });
  }
});

test('offline, the password stays and the page says what to look at', async ({ page }) => {
  await openForm(page, '/login');
  await email(page).fill('ada@example.org');
  await password(page).fill('typed once');
  await page.route('**/login', route => (route.request().method() === 'POST' ? route.abort('internetdisconnected') : route.fallback()));
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('connection');
  await expect(password(page)).toHaveValue('typed once');
});

test('the hint about a new password goes with the password that was refused', async ({ page }) => {
  await openForm(page, '/login/signup');
  const hint = page.locator('#password-strength');
  await password(page).pressSequentially('passwordpassword');
  await expect(hint).toHaveText('Long enough.');
  await send(page, { ...newPerson(), password: 'passwordpassword' }, 'Create account');
  await expect(page.locator('#password-error')).not.toBeEmpty();
  await expect(password(page)).toHaveValue('');
  await expect(hint).toBeHidden();
  await password(page).pressSequentially('short');
  await expect(hint).toHaveText('7 more characters.');
});

test('no hint keeps the label away from a field that has none', async ({ page }) => {
  await openForm(page, '/login');
  const distance = (id: string): Promise<number> =>
    page.evaluate(field => {
      const [label, input] = [document.querySelector(`label[for=${field}]`), document.getElementById(field)];
      return (input?.getBoundingClientRect().top ?? 0) - (label?.getBoundingClientRect().bottom ?? 0);
    }, id);
  expect(Math.abs((await distance('password')) - (await distance('email')))).toBeLessThan(2);
});

test.describe('from another address', () => {
  test.use({ provokedStatuses: [403] });

  test('a refused form explains itself on a page that names both addresses', async ({ page, program }) => {
    // Over plain HTTP a browser sends no Sec-Fetch-Site, so Origin decides.
    const origin = program.origin.replace('localhost', 'nas.test');
    await openForm(page, `${origin}/login`);
    await send(page, newPerson(), 'Log in');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Refused');
    await expect(page.getByRole('main')).toContainText(origin);
    await expect(page.getByRole('main')).toContainText(program.origin);
  });
});
